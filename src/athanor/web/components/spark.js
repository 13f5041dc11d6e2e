// A spark line drawn as SVG. Keeps its own points, so that the server sends each only once.
export default {
  template: `
    <svg class="ath-spark" viewBox="0 0 100 32" preserveAspectRatio="none" aria-hidden="true">
      <path class="area" :d="area" /><path :d="line" />
    </svg>`,
  props: { points: { type: Array, default: () => [] }, span: { type: Number, default: 900000 } },
  data() {
    return { kept: [] };
  },
  watch: {
    points: { immediate: true, handler(points) { this.kept = [...points]; } },
  },
  computed: {
    placed() {
      const known = this.kept.filter(([, value]) => value !== null);
      if (known.length < 2) return [];
      const end = known[known.length - 1][0];
      const values = known.map(([, value]) => value);
      let low = Math.min(...values), high = Math.max(...values);
      // A line that hardly moves is drawn flat: noise blown up to full height would look like trouble.
      const least = Math.max(Math.abs(low), Math.abs(high)) * 0.02 || 1;
      if (high - low < least) [low, high] = [(low + high - least) / 2, (low + high + least) / 2];
      return known.map(([time, value]) => [
        (100 - ((end - time) / this.span) * 100).toFixed(2),
        (30 - ((value - low) / (high - low)) * 28).toFixed(2),
      ]);
    },
    line() {
      return this.placed.length ? "M" + this.placed.map((point) => point.join(" ")).join("L") : "";
    },
    area() {
      if (!this.placed.length) return "";
      const first = this.placed[0][0], last = this.placed[this.placed.length - 1][0];
      return `${this.line}L${last} 32L${first} 32Z`;
    },
  },
  methods: {
    append(time, value) {
      this.kept.push([time, value]);
      const oldest = time - this.span;
      while (this.kept.length && this.kept[0][0] < oldest) this.kept.shift();
    },
  },
};
