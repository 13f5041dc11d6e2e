// A place to drop files. They are sent one after the other, as they are; each shows how far it is and what became of it.
export default {
  template: `
    <div>
      <label class="ath-uploads-comment" v-if="texts.comment"><span>{{ texts.comment }}</span>
        <input type="text" v-model="comment" maxlength="500" autocomplete="off" /></label>
      <div class="ath-drop is-low" :class="{ 'is-over': isOver }"
           @dragover.prevent="isOver = true" @dragleave="isOver = false" @drop.prevent="dropped">
        <span class="material-icons" aria-hidden="true">upload_file</span>
        <strong>{{ texts.drop }}</strong>
        <button type="button" class="is-main" @click="$refs.input.click()">{{ texts.choose }}</button>
        <small>{{ texts.hint }}</small>
        <input ref="input" type="file" class="ath-hidden-text" tabindex="-1" :multiple="many" :aria-label="texts.choose" @change="chosen" />
      </div>
      <ul class="ath-uploads" v-if="items.length" aria-live="polite">
        <li v-for="item in items" :key="item.id" :class="'is-' + item.state">
          <div class="name"><a v-if="item.address" :href="item.address">{{ item.name }}</a><template v-else>{{ item.name }}</template>
            <small>{{ item.text }}</small>
            <small v-for="one in item.same" :key="one.id">{{ texts.same }} <a :href="'/documents/' + one.id">{{ one.title }}</a></small></div>
          <div class="ath-job-track" v-if="item.state === 'going'" role="progressbar" aria-valuemin="0" aria-valuemax="100" :aria-valuenow="percent(item)" :aria-label="item.name">
            <div class="ath-job-bar" :style="{ width: percent(item) + '%' }"></div></div>
          <button type="button" class="is-plain" v-if="item.state === 'going' || item.state === 'waiting'" @click="stop(item)">{{ texts.cancel }}</button>
          <button type="button" class="is-plain" v-if="item.state === 'failed' && item.file" @click="again(item)">{{ texts.again }}</button>
        </li>
      </ul>
    </div>`,
  props: { address: String, query: Object, most: Number, many: Boolean, texts: Object },
  emits: ["sent"],
  data() {
    return { isOver: false, items: [], comment: "", count: 0 };
  },
  methods: {
    percent(item) {
      return item.whole ? Math.round((1000 * item.done) / item.whole) / 10 : 0;
    },
    inMb(bytes) {
      return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
    },
    dropped(event) {
      this.isOver = false;
      this.take(event.dataTransfer.files);
    },
    chosen(event) {
      this.take(event.target.files);
      event.target.value = "";
    },
    take(files) {
      for (const file of this.many ? [...files] : [...files].slice(0, 1)) {
        const item = { id: ++this.count, file, name: file.name, done: 0, whole: file.size, state: "waiting", text: this.texts.waiting, same: [], address: "" };
        this.items.unshift(item);
        if (file.size > this.most) this.fail(item, this.texts.large.replace("{most}", Math.round(this.most / 1e6)), true);
        else if (!file.size) this.fail(item, this.texts.empty, true);
      }
      this.next();
    },
    next() {
      if (this.items.some((item) => item.state === "going")) return;
      const item = this.items.findLast((one) => one.state === "waiting");
      if (item) this.send(item);
    },
    send(item) {
      item.state = "going";
      item.text = "";
      const query = new URLSearchParams({ ...this.query, name: item.name });
      if (this.comment) query.set("comment", this.comment);
      const request = new XMLHttpRequest();
      request.open("POST", `${this.address}?${query}`);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => {
        item.done = event.loaded;
        item.text = this.texts.sent.replace("{done}", this.inMb(item.done)).replace("{whole}", this.inMb(item.whole));
      };
      request.upload.onload = () => (item.text = this.texts.arriving);
      request.onload = () => this.answered(item, request);
      request.onerror = () => this.fail(item, this.texts.failed);
      this.requests = { ...this.requests, [item.id]: request };
      request.send(item.file);
    },
    answered(item, request) {
      let answer = null;
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        return this.fail(item, this.texts.failed);
      }
      if (request.status >= 400) {
        const isFinal = [403, 404, 413, 422].includes(request.status); // sent again, it would be refused again
        return this.fail(item, this.texts.codes[answer.detail?.code] ?? answer.detail?.message ?? this.texts.failed, isFinal);
      }
      item.state = "done";
      item.file = null;
      item.name = answer.version.file;
      item.address = this.many ? `/documents/${answer.document}` : "";
      item.text = answer.version.scan === "pending" ? this.texts.quarantined : this.texts.done;
      item.same = answer.same;
      this.$emit("sent", answer);
      this.next();
    },
    fail(item, reason, isFinal = false) {
      item.state = "failed";
      item.text = reason;
      if (isFinal) item.file = null;
      this.next();
    },
    stop(item) {
      this.requests?.[item.id]?.abort();
      this.fail(item, this.texts.stopped);
    },
    again(item) {
      item.state = "waiting";
      item.text = this.texts.waiting;
      this.next();
    },
  },
};
