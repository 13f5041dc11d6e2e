// How many alarms came in each step of time: bars, floods as bands behind them, the standard's limits as lines.
import { echarts } from "nicegui-echart";

const TOKENS = { text: "--text", text2: "--text-2", line: "--line", surface: "--surface-raised", bar: "--series-1", flood: "--urgent-soft", warn: "--warn" };

export default {
  template: `<div class="ath-rate" role="img" :aria-label="summary"></div>`,
  props: { edges: Array, counts: Array, bands: Array, lines: Array, zone: String, texts: Object, summary: String, withTime: Boolean },
  mounted() {
    this.chart = echarts.init(this.$el, null, { renderer: "canvas" });
    this.sizes = new ResizeObserver(() => { this.chart.resize(); });
    this.sizes.observe(this.$el);
    this.theme = new MutationObserver(() => this.draw());
    this.theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    this.chart.getZr().on("click", (event) => this.pick(event));
    this.draw();
  },
  beforeUnmount() {
    this.sizes.disconnect();
    this.theme.disconnect();
    this.chart.dispose();
  },
  methods: {
    clock(ms) {
      const parts = { month: "2-digit", day: "2-digit", ...(this.withTime ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : {}) };
      const said = new Intl.DateTimeFormat("sv-SE", { timeZone: this.zone, ...parts });
      return said.format(ms);
    },
    pick(event) {
      const place = this.chart.convertFromPixel({ seriesIndex: 0 }, [event.offsetX, event.offsetY]);
      const index = place ? Math.round(place[0]) : -1;
      if (this.counts[index] > 0) this.$emit("pick", index);
    },
    bandOf([from, to]) {
      const first = this.edges.findIndex((edge) => edge > from) - 1;
      const last = this.edges.findIndex((edge) => edge >= to) - 1;
      const end = last < 0 ? this.counts.length - 1 : last;
      return [{ xAxis: Math.max(0, first) }, { xAxis: Math.max(end, first) }];
    },
    draw() {
      const style = getComputedStyle(document.documentElement);
      const colour = Object.fromEntries(Object.entries(TOKENS).map(([name, token]) => [name, style.getPropertyValue(token).trim()]));
      const most = Math.max(...this.counts, ...this.lines.map((line) => line.value).filter((value) => value < 4 * Math.max(...this.counts, 1)));
      const shown = this.lines.filter((line) => line.value <= most);
      const label = { color: colour.text2, fontSize: 11 };
      this.chart.setOption({
        animation: false,
        grid: { left: 44, right: 16, top: 16, bottom: 28 },
        tooltip: {
          trigger: "axis", axisPointer: { type: "shadow" }, backgroundColor: colour.surface, borderColor: colour.line,
          textStyle: { color: colour.text, fontSize: 12 },
          formatter: ([one]) => `${this.clock(this.edges[one.dataIndex])}<br><b>${one.value}</b> ${this.texts.alarms}`,
        },
        xAxis: {
          type: "category", data: this.edges.slice(0, -1), axisTick: { show: false }, axisLine: { lineStyle: { color: colour.line } },
          axisLabel: { ...label, hideOverlap: true, formatter: (value) => this.clock(Number(value)) },
        },
        yAxis: { type: "value", minInterval: 1, max: (range) => Math.max(range.max, ...shown.map((line) => line.value)), axisLabel: label, splitLine: { lineStyle: { color: colour.line } } },
        series: [{
          type: "bar", data: this.counts, large: this.counts.length > 2000, barCategoryGap: this.counts.length > 200 ? "0%" : "20%",
          itemStyle: { color: colour.bar }, cursor: "pointer",
          markArea: { silent: true, itemStyle: { color: colour.flood }, data: this.bands.map((band) => this.bandOf(band)) },
          markLine: {
            silent: true, symbol: "none", lineStyle: { color: colour.warn, type: "dashed" },
            label: { color: colour.text2, fontSize: 11, position: "insideEndTop", formatter: ({ name }) => name },
            data: shown.map((line) => ({ yAxis: line.value, name: line.name })),
          },
        }],
      }, true);
    },
  },
  watch: { counts() { this.draw(); } },
};
