// Where the person stands, asked of the browser when they press the button; what went wrong is said in words.
export default {
  template: `
    <div class="ath-position">
      <button type="button" :disabled="isAsking" @click="ask"><span class="material-icons" aria-hidden="true">my_location</span><span>{{ texts.take }}</span></button>
      <span class="ath-position-said" aria-live="polite">{{ isAsking ? texts.asking : said }}</span>
      <p class="ath-field-fault" role="alert" v-if="trouble">{{ trouble }}</p>
    </div>`,
  props: { start: Object, texts: Object },
  emits: ["taken"],
  data() {
    return { place: this.start, isAsking: false, trouble: "" };
  },
  computed: {
    said() {
      if (!this.place) return "";
      const { lat, lon, accuracy_m } = this.place;
      return `${lat.toFixed(6)}, ${lon.toFixed(6)} ± ${Math.round(accuracy_m)} m`;
    },
  },
  methods: {
    ask() {
      this.trouble = "";
      if (!window.isSecureContext || !navigator.geolocation) return (this.trouble = this.texts.insecure);
      this.isAsking = true;
      navigator.geolocation.getCurrentPosition(this.took, this.failed, { enableHighAccuracy: true, timeout: 20000 });
    },
    took({ coords, timestamp }) {
      this.isAsking = false;
      this.place = { lat: coords.latitude, lon: coords.longitude, accuracy_m: coords.accuracy, at: new Date(timestamp).toISOString() };
      this.$emit("taken", this.place);
    },
    failed(error) {
      this.isAsking = false;
      this.trouble = { 1: this.texts.refused, 3: this.texts.late }[error.code] ?? this.texts.unknown;
    },
  },
};
