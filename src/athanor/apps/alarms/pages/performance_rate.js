// How many alarms came in each step of time: bars, floods as bands behind them, the standard's limits as lines.
import { echarts } from "nicegui-echart";

const TOKENS = { text: "--text", text2: "--text-2", line: "--line", surface: "--surface-raised", bar: "--series-1", flood: "--urgent-soft", warn: "--warn" };

export default {
  template: `<div class="ath-perf-rate" role="img" :aria-label="summary"></div>`,
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
      const wanted = { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: this.zone };
      const part = Object.fromEntries(new Intl.DateTimeFormat("en", wanted).formatToParts(ms).map(({ type, value }) => [type, value]));
      return `${part.month}-${part.day}` + (this.withTime ? ` ${part.hour}:${part.minute}` : "");
    },
    pick(event) {
      const place = this.chart.convertFromPixel({ seriesIndex: 1 }, [event.offsetX, event.offsetY]);
      const index = place ? Math.round(place[0]) : -1;
      if (this.counts[index] > 0) this.$emit("pick", index);
    },
    // Which steps a flood reaches into: a bar of the chart's whole height stands behind them.
    flooded(top) {
      const bars = new Array(this.counts.length).fill(0);
      for (const [from, to] of this.bands) {
        for (let step = 0; step < bars.length; step++) if (this.edges[step] < to && this.edges[step + 1] > from) bars[step] = top;
      }
      return bars;
    },
    niceTop(value) {
      const half = 10 ** Math.floor(Math.log10(value)) / 2;
      return Math.max(2, Math.ceil(value / half) * half);
    },
    draw() {
      const style = getComputedStyle(document.documentElement);
      const colour = Object.fromEntries(Object.entries(TOKENS).map(([name, token]) => [name, style.getPropertyValue(token).trim()]));
      const most = this.counts.reduce((one, other) => Math.max(one, other), 1);
      const shown = this.lines.filter((line) => line.value < 4 * most);
      const top = this.niceTop(shown.reduce((value, line) => Math.max(value, line.value), most));
      const label = { color: colour.text2, fontSize: 11 };
      this.chart.setOption({
        animation: false,
        grid: { left: 44, right: 16, top: 16, bottom: 28 },
        tooltip: {
          trigger: "axis", axisPointer: { type: "shadow" }, backgroundColor: colour.surface, borderColor: colour.line,
          textStyle: { color: colour.text, fontSize: 12 },
          formatter: (some) => some.filter((one) => one.seriesIndex === 1).map((one) => `${this.clock(this.edges[one.dataIndex])}<br><b>${one.value}</b> ${this.texts.alarms}`).join(""),
        },
        xAxis: [{
          type: "category", data: this.edges.slice(0, -1), axisTick: { show: false }, axisLine: { lineStyle: { color: colour.line } },
          axisLabel: { ...label, hideOverlap: true, formatter: (value) => this.clock(Number(value)) },
        }, { type: "category", data: this.edges.slice(0, -1), show: false }], // of the floods: else bars would share their room
        yAxis: { type: "value", minInterval: 1, max: top, axisLabel: label, splitLine: { lineStyle: { color: colour.line } } },
        series: [{
          type: "bar", xAxisIndex: 1, data: this.flooded(top), barCategoryGap: "0%", silent: true, itemStyle: { color: colour.flood },
        }, {
          type: "bar", data: this.counts, z: 3, large: this.counts.length > 2000, barCategoryGap: this.counts.length > 200 ? "0%" : "20%",
          itemStyle: { color: colour.bar }, cursor: "pointer",
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
