// The trend chart: draws series it was given once, takes in only new points, and says which range the person looks at.
import { echarts } from "nicegui-echart";
import { PlantClock, Series, listen, niceRange, valueAxis } from "athanor-trend";

const TOKENS = { text: "--text", text2: "--text-2", line: "--line", surface: "--surface", urgent: "--urgent", warn: "--warn" };
const COLOURS = 8;
const DASHES = ["solid", [6, 3], [2, 2]];
const SHORTEST = 1000, SETTLED_MS = 80, MAX_LIMIT_SERIES = 1;
const ROWS = 4; // of marks above the plot

export default {
  template: `
    <div class="ath-trend" :data-drawn="drawn">
      <div class="ath-trend-legend" role="group" :aria-label="texts.legend">
        <button v-for="entry in legend" :key="entry.key" type="button" :class="{ 'is-off': entry.isOff }" :aria-pressed="String(!entry.isOff)"
                :title="entry.name" @click="toggle(entry.key)" @mouseenter="highlight(entry.key)" @mouseleave="highlight(null)">
          <svg aria-hidden="true"><line x1="0" y1="4" x2="20" y2="4" :stroke="entry.color" stroke-width="3" :stroke-dasharray="entry.dash" /></svg>
          <span class="name">{{ entry.name }}</span><b>{{ entry.last }} {{ entry.unit }}</b>
        </button>
      </div>
      <div class="ath-trend-canvas" ref="canvas" tabindex="0" role="application" :aria-label="texts.chart" :aria-keyshortcuts="'ArrowLeft ArrowRight + - Home'"></div>
      <div class="ath-trend-stretch" v-for="stretch in stretches" :style="stretch.style" :title="stretch.text" role="img" :aria-label="stretch.text"></div>
      <div class="ath-trend-select" v-if="marked" :style="marked"></div>
      <div class="ath-trend-cursor" v-if="cursor" :style="cursor.style">
        <div class="time">{{ cursor.time }}</div>
        <div class="row" v-for="row in cursor.rows" :key="row.key">
          <svg aria-hidden="true"><line x1="0" y1="4" x2="16" y2="4" :stroke="row.color" stroke-width="3" :stroke-dasharray="row.dash" /></svg>
          <span>{{ row.name }}</span><b>{{ row.value }}</b>
        </div>
      </div>
      <div class="ath-trend-busy" v-if="isBusy"></div>
    </div>`,
  props: { zone: String, texts: Object },
  emits: ["view", "sized"],
  data() {
    return { legend: [], cursor: null, marked: null, isBusy: false, stretches: [], drawn: 0 };
  },
  created() {
    // What the chart draws from is kept out of Vue's sight: thousands of points need no watching.
    this.series = new Map();
    this.ranges = new Map();
    this.marks = []; // of stretches: key, from_ms, to_ms, text
    this.from = Date.now() - 3600e3;
    this.to = Date.now();
    this.isLive = true;
    this.isMoving = false;
    this.isOnScreen = true;
    this.loads = 0;
    this.clock = new PlantClock(this.zone);
  },
  mounted() {
    this.chart = echarts.init(this.$refs.canvas, null, { renderer: "canvas" });
    this.takeColours();
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.$refs.canvas);
    this.screen = new IntersectionObserver(([entry]) => {
      this.isOnScreen = entry.isIntersecting;
      if (this.isOnScreen) this.draw();
    });
    this.screen.observe(this.$el);
    this.theme = new MutationObserver(() => { this.takeColours(); this.draw(); });
    this.theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    listen(this.$refs.canvas, {
      plot: () => this.plot(),
      range: () => ({ from: this.from, to: this.to }),
      move: (from, to) => this.move(from, to),
      mark: (left, right) => this.mark(left, right),
      point: (x, y) => this.point(x, y),
      leave: () => { this.cursor = null; this.pointer = null; this.drawCursor(null); },
      live: () => this.$emit("view", { from: this.from, to: this.to, width: this.width(), isLive: true }),
    });
    this.$emit("sized", this.width());
  },
  beforeUnmount() {
    for (const observer of [this.sizes, this.screen, this.theme]) observer.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.settling);
    this.chart.dispose();
  },
  methods: {
    // ---- what the server says ----
    define(definitions) {
      const before = this.series;
      this.series = new Map();
      definitions.forEach((definition, index) => {
        const series = before.get(definition.key) ?? new Series(definition);
        series.redefine(definition);
        series.colour = `--series-${(index % COLOURS) + 1}`;
        series.dash = DASHES[Math.floor(index / COLOURS) % DASHES.length];
        this.series.set(definition.key, series);
      });
      this.relist();
      this.draw();
    },
    load(from, to, isLive, points) {
      this.isBusy = false;
      this.loads += 1;
      if (!this.isMoving) [this.from, this.to, this.isLive] = [from, to, isLive]; // else the person is elsewhere already
      for (const [key, packed] of Object.entries(points)) this.series.get(key)?.load(packed);
      this.relist();
      this.draw();
    },
    append(now, points) {
      const span = this.to - this.from;
      for (const [key, fresh] of Object.entries(points)) {
        const series = this.series.get(key);
        series?.append(fresh, span / this.width());
        series?.forgetBefore(this.from - span);
      }
      if (this.isLive) [this.from, this.to] = [now - span, now];
      this.relist();
      this.draw();
    },
    markStretches(marks) {
      this.marks = marks;
      this.draw();
    },
    busy() {
      this.isBusy = true;
    },

    // ---- what the person does ----
    move(from, to) {
      if (to - from < SHORTEST) return;
      const now = Date.now();
      if (to > now && to - from < to - now + 60e3) return; // nothing to see in the future
      [this.from, this.to, this.isLive, this.isMoving] = [from, to, false, true];
      this.draw();
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.tell(), SETTLED_MS);
    },
    tell() {
      this.isMoving = false;
      this.$emit("view", { from: Math.round(this.from), to: Math.round(this.to), width: this.width(), isLive: this.isLive });
    },
    mark(left, right) {
      const canvas = this.$refs.canvas;
      this.marked = right > left ? { left: left + "px", width: right - left + "px", top: canvas.offsetTop + 16 + "px", height: canvas.offsetHeight - 44 + "px" } : null;
    },
    toggle(key) {
      const series = this.series.get(key);
      series.isOff = !series.isOff;
      this.relist();
      this.draw();
    },
    highlight(key) {
      this.highlighted = key;
      this.draw();
    },
    point(x, y) {
      const { left, width } = this.plot();
      if (x < left || x > left + width || !this.series.size) return (this.cursor = null), this.drawCursor(null);
      this.pointer = [x, y];
      this.showCursor();
    },
    showCursor() {
      if (!this.pointer) return;
      const [x, y] = this.pointer;
      const { left, width } = this.plot();
      const time = this.from + ((x - left) / width) * (this.to - this.from);
      const canvas = this.$refs.canvas;
      const rows = [...this.series.values()].filter((series) => !series.isOff).map((series) => ({
        key: series.key, name: series.name, color: this.colours[series.colour], dash: dashOf(series.dash),
        value: `${series.shown(series.valueAt(time))} ${series.unit}`,
      }));
      const side = x > canvas.offsetWidth / 2 ? { right: canvas.offsetWidth - x + 16 + "px" } : { left: x + 16 + "px" };
      const top = Math.min(y, Math.max(0, canvas.offsetHeight - 40 - 20 * rows.length)) + canvas.offsetTop;
      this.cursor = { time: this.clock.full(time), rows, style: { ...side, top: top + "px" } };
      this.drawCursor(x);
    },

    // ---- drawing ----
    width() {
      return Math.max(100, Math.round(this.plot().width));
    },
    plot() {
      const { left, right } = this.margins ?? { left: 56, right: 16 };
      return { left, width: this.$refs.canvas.offsetWidth - left - right };
    },
    resized() {
      this.chart.resize();
      const width = this.$refs.canvas.offsetWidth;
      const isMuchWider = this.toldWidth && width > this.toldWidth * 1.3;
      this.toldWidth = isMuchWider || !this.toldWidth ? width : this.toldWidth;
      if (isMuchWider) this.$emit("sized", this.width());
      this.draw();
    },
    takeColours() {
      const style = getComputedStyle(document.documentElement);
      this.colours = {};
      for (const [name, token] of Object.entries(TOKENS)) this.colours[name] = style.getPropertyValue(token).trim();
      for (let n = 1; n <= COLOURS; n++) this.colours[`--series-${n}`] = style.getPropertyValue(`--series-${n}`).trim();
      this.relist();
    },
    relist() {
      this.legend = [...this.series.values()].map((series) => ({
        key: series.key, name: series.name, unit: series.unit, last: series.shown(series.last), isOff: series.isOff,
        color: this.colours[series.colour], dash: dashOf(series.dash),
      }));
    },
    draw() {
      if (this.frame || !this.isOnScreen || !this.chart) return;
      this.frame = requestAnimationFrame(() => {
        this.frame = null;
        this.drawNow();
      });
    },
    drawNow() {
      const shown = [...this.series.values()].filter((series) => !series.isOff);
      const shift = this.clock.shiftAt((this.from + this.to) / 2);
      const axes = this.groupByAxis(shown);
      const isNarrow = this.$refs.canvas.offsetWidth < 560;
      const visibleAxes = isNarrow ? Math.min(axes.length, 2) : axes.length;
      const onLeft = Math.ceil(visibleAxes / 2) || 1, onRight = Math.floor(visibleAxes / 2);
      this.margins = { left: 4 + 56 * onLeft, right: onRight ? 4 + 56 * onRight : 20 };
      const limited = this.highlighted ? [this.highlighted] : shown.length <= MAX_LIMIT_SERIES ? shown.map((s) => s.key) : [];
      const span = this.to - this.from;
      this.chart.setOption({
        animation: false,
        useUTC: true,
        grid: { ...this.margins, top: 26, bottom: 28 },
        xAxis: {
          type: "time", min: this.from + shift, max: this.to + shift,
          splitNumber: Math.max(2, Math.floor(this.plot().width / 120)),
          axisLine: { lineStyle: { color: this.colours.line }, onZero: false }, axisTick: { lineStyle: { color: this.colours.line } },
          axisLabel: { color: this.colours.text2, fontSize: 11, hideOverlap: true, formatter: (value) => this.clock.tick(value - shift, span) },
          splitLine: { show: false },
        },
        yAxis: axes.length
          ? axes.map((axis, place) => valueAxis({
              ...axis, place, isShown: place < visibleAxes, colors: this.colours,
              color: axis.series.length === 1 && shown.length > 1 ? this.colours[axis.series[0].colour] : null,
            }))
          : [{ type: "value", show: false }],
        series: shown.map((series) => ({
          id: series.key, type: "line", yAxisIndex: axes.findIndex((axis) => axis.series.includes(series)),
          data: series.visible(this.from, this.to, shift),
          step: series.isStep ? "end" : false, connectNulls: false, showSymbol: false, silent: true, clip: true,
          z: series.key === this.highlighted ? 5 : 2,
          lineStyle: { width: series.key === this.highlighted ? 3 : 1.5, type: series.dash, color: this.colours[series.colour], join: "bevel" },
          itemStyle: { color: this.colours[series.colour] },
          markLine: limited.includes(series.key) ? this.limitLines(series) : { data: [] },
        })),
      }, { replaceMerge: ["series", "yAxis"], lazyUpdate: false });
      if (this.marks.length || this.stretches.length) this.stretches = this.placed(shown);
      this.drawn = this.loads; // how many answers of the server have been drawn
      if (this.pointer) this.showCursor();
    },
    // Stretches as bars above the plot, a row for each line; one too short to be seen is made wide enough.
    placed(shown) {
      const { left, width } = this.plot();
      const top = this.$refs.canvas.offsetTop + 24;
      const x = (time) => left + width * Math.min(1, Math.max(0, (time - this.from) / (this.to - this.from)));
      return this.marks.flatMap(({ key, from_ms, to_ms, text }) => {
        const row = shown.findIndex((series) => series.key === key);
        if (row < 0 || to_ms < this.from || from_ms > this.to) return [];
        const [begin, end] = [x(from_ms), x(to_ms)];
        return [{ text, style: {
          left: begin + "px", width: Math.max(5, end - begin) + "px", top: top - 5 * (row % ROWS) - 4 + "px",
          background: this.colours[shown[row].colour],
        } }];
      });
    },
    groupByAxis(shown) {
      const axes = [];
      for (const series of shown) {
        let axis = axes.find((one) => one.series[0].fitsWith(series));
        if (!axis) {
          axis = { unit: series.unit, states: series.states, series: [], low: Infinity, high: -Infinity, decimals: 0 };
          axes.push(axis);
        }
        axis.series.push(series);
        axis.decimals = Math.max(axis.decimals, series.decimals);
        const [low, high] = series.extent(this.from, this.to);
        [axis.low, axis.high] = [Math.min(axis.low, low), Math.max(axis.high, high)];
      }
      for (const axis of axes) {
        const id = axis.series[0].key;
        axis.range = axis.states ? stateRange(axis.states) : niceRange(axis.low, axis.high, axis.decimals, this.ranges.get(id));
        this.ranges.set(id, axis.range);
      }
      return axes;
    },
    limitLines(series) {
      return {
        silent: true, symbol: "none", animation: false,
        data: series.limits.map((limit) => ({
          yAxis: limit.value,
          lineStyle: { color: limit.isUrgent ? this.colours.urgent : this.colours.warn, type: "dashed", width: 1 },
          label: { formatter: `${limit.label} ${series.shown(limit.value)}`, position: "insideEndTop", color: limit.isUrgent ? this.colours.urgent : this.colours.warn, fontSize: 11 },
        })),
      };
    },
    drawCursor(x) {
      const height = this.$refs.canvas.offsetHeight;
      this.chart.setOption({
        graphic: [{
          id: "cursor", type: "line", silent: true, invisible: x === null, z: 10,
          shape: { x1: x ?? 0, y1: 26, x2: x ?? 0, y2: height - 28 }, style: { stroke: this.colours.text2, lineWidth: 1, lineDash: [3, 3] },
        }],
      });
    },
  },
};

function dashOf(dash) {
  return dash === "solid" ? null : dash.join(" ");
}

function stateRange(states) {
  const numbers = Object.keys(states).map(Number);
  return { min: Math.min(...numbers) - 1, max: Math.max(...numbers) + 1, interval: 1 }; // whole ends, so that ticks meet states
}
