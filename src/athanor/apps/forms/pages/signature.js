// Signing with a finger, a pen or a mouse. What is drawn is the path of strokes in a box of 600 by 200, nothing else.
export default {
  template: `
    <div class="ath-signature">
      <svg ref="pad" viewBox="0 0 600 200" role="img" :aria-label="label" tabindex="0"
           @pointerdown.prevent="begin" @pointermove.prevent="go" @pointerup="end" @pointercancel="end">
        <line x1="30" y1="160" x2="570" y2="160" />
        <path :d="drawn" />
      </svg>
      <div class="ath-signature-foot">
        <small>{{ drawn ? '' : texts.hint }}</small>
        <button type="button" v-if="drawn" @click="clear">{{ texts.clear }}</button>
      </div>
    </div>`,
  props: { label: String, start: String, texts: Object },
  emits: ["signed"],
  data() {
    return { drawn: this.start || "", pointer: null };
  },
  methods: {
    place(event) {
      const box = this.$refs.pad.getBoundingClientRect();
      const x = Math.round(((event.clientX - box.left) / box.width) * 600);
      const y = Math.round(((event.clientY - box.top) / box.height) * 200);
      return `${Math.min(600, Math.max(0, x))} ${Math.min(200, Math.max(0, y))}`;
    },
    begin(event) {
      if (this.pointer !== null) return;
      this.pointer = event.pointerId;
      this.$refs.pad.setPointerCapture(event.pointerId);
      this.drawn += `${this.drawn ? " " : ""}M${this.place(event)}`;
    },
    go(event) {
      if (this.pointer !== event.pointerId || this.drawn.length > 48000) return;
      const step = ` L${this.place(event)}`;
      if (!this.drawn.endsWith(step)) this.drawn += step;
    },
    end(event) {
      if (this.pointer !== event.pointerId) return;
      this.pointer = null;
      this.$emit("signed", this.drawn);
    },
    clear() {
      this.drawn = "";
      this.$emit("signed", "");
    },
  },
};
