// Taking or choosing photos. Large ones are made smaller before they are sent; each shows as soon as it arrived.
export default {
  template: `
    <div class="ath-photos">
      <ul v-if="photos.length">
        <li v-for="photo in photos" :key="photo.id">
          <a :href="address + photo.id" target="_blank" rel="noopener"><img :src="address + photo.id" :alt="photo.name" loading="lazy" /></a>
          <button type="button" class="is-icon" :aria-label="texts.remove + ' ' + photo.name" :title="texts.remove" @click="$emit('removed', photo.id)"><span class="material-icons" aria-hidden="true">close</span></button>
        </li>
      </ul>
      <button type="button" :disabled="isBusy || photos.length >= most" @click="$refs.input.click()"><span class="material-icons" aria-hidden="true">photo_camera</span><span>{{ isBusy ? texts.sending : texts.take }}</span></button>
      <input ref="input" type="file" class="ath-hidden-text" tabindex="-1" accept="image/*" :aria-label="texts.take" @change="chosen" />
      <p class="ath-field-fault" role="alert" v-if="trouble">{{ trouble }}</p>
    </div>`,
  props: { photos: Array, address: String, target: String, most: Number, texts: Object },
  emits: ["begin", "sent", "removed"],
  data() {
    return { isBusy: false, trouble: "", waiting: null };
  },
  watch: {
    target() {
      if (this.waiting && this.target) this.send(this.waiting);
    },
  },
  methods: {
    chosen(event) {
      const file = event.target.files[0];
      event.target.value = "";
      if (!file) return;
      [this.trouble, this.isBusy] = ["", true];
      if (this.target) return this.send(file);
      this.waiting = file;
      this.$emit("begin");
    },
    async send(file) {
      this.waiting = null;
      try {
        const body = await this.smaller(file);
        const answer = await fetch(`${this.target}?name=${encodeURIComponent(file.name.slice(0, 150))}`, { method: "POST", body, headers: { "Content-Type": "application/octet-stream" } });
        const told = await answer.json();
        if (answer.ok) this.$emit("sent", told);
        else this.trouble = told.detail?.message ?? this.texts.failed;
      } catch {
        this.trouble = this.texts.failed;
      }
      this.isBusy = false;
    },
    async smaller(file) {
      const most = 1920;
      const picture = await createImageBitmap(file).catch(() => null);
      if (!picture || (Math.max(picture.width, picture.height) <= most && file.size < 1.5e6)) return file;
      const scale = Math.min(1, most / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      return new Promise((done) => canvas.toBlob((blob) => done(blob ?? file), "image/jpeg", 0.85));
    },
  },
};
