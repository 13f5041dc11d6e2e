// A place to drop a file. It is sent as it is, by the browser's own means, which alone tell how much has gone.
export default {
  template: `
    <div class="ath-drop" :class="{ 'is-over': isOver, 'is-busy': request }"
         @dragover.prevent="isOver = true" @dragleave="isOver = false" @drop.prevent="dropped">
      <template v-if="!request">
        <span class="material-icons" aria-hidden="true">upload_file</span>
        <strong>{{ texts.drop }}</strong>
        <button type="button" class="is-main" @click="$refs.input.click()">{{ texts.choose }}</button>
        <small>{{ texts.hint }}</small>
        <input ref="input" type="file" class="ath-hidden-text" tabindex="-1" :accept="accept" :aria-label="texts.choose" @change="chosen" />
      </template>
      <template v-else>
        <strong>{{ name }}</strong>
        <div class="ath-job-track" role="progressbar" aria-valuemin="0" aria-valuemax="100" :aria-valuenow="percent" :aria-label="name">
          <div class="ath-job-bar" :style="{ width: percent + '%' }"></div></div>
        <small aria-live="polite">{{ place }}</small>
        <button type="button" @click="stop">{{ texts.cancel }}</button>
      </template>
      <p class="ath-drop-trouble" role="alert" v-if="trouble">{{ trouble }}</p>
    </div>`,
  props: { address: String, most: Number, accept: String, texts: Object },
  emits: ["sent"],
  data() {
    return { isOver: false, request: null, name: "", done: 0, whole: 0, trouble: "" };
  },
  computed: {
    percent() {
      return this.whole ? Math.round((1000 * this.done) / this.whole) / 10 : 0;
    },
    place() {
      if (this.whole && this.done >= this.whole) return this.texts.arriving;
      return this.texts.sent.replace("{done}", this.inMb(this.done)).replace("{whole}", this.inMb(this.whole));
    },
  },
  methods: {
    inMb(bytes) {
      return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
    },
    dropped(event) {
      this.isOver = false;
      if (!this.request) this.send(event.dataTransfer.files[0]);
    },
    chosen(event) {
      this.send(event.target.files[0]);
    },
    stop() {
      this.request?.abort();
      this.request = null;
    },
    send(file) {
      this.trouble = "";
      if (!file) return;
      if (file.size > this.most) {
        this.trouble = this.texts.large.replace("{name}", file.name).replace("{most}", Math.round(this.most / 1e6));
        return;
      }
      [this.name, this.done, this.whole] = [file.name, 0, file.size];
      const request = new XMLHttpRequest();
      request.open("POST", `${this.address}?name=${encodeURIComponent(file.name)}`);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => (this.done = event.loaded);
      request.onload = () => this.answered(request);
      request.onerror = () => this.failed(this.texts.failed);
      this.request = request;
      request.send(file);
    },
    answered(request) {
      let answer = null;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        return this.failed(this.texts.failed);
      }
      if (request.status >= 400) return this.failed(answer.detail?.message ?? this.texts.failed);
      this.done = this.whole;
      this.$emit("sent", answer);
    },
    failed(reason) {
      this.request = null;
      this.trouble = reason;
    },
  },
};
