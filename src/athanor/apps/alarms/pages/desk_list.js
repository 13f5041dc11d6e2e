// The operator's list. Thousands of lines, of which only those in view are here; the server says which of them changed.
// A line is a group's head {g, …} or an alarm {id, …}. What is chosen, and where the keyboard stands, is known here.
const AHEAD = 12; // lines fetched above and below what is in view
const HEIGHTS = { wide: 40, narrow: 132 };

export default {
  template: `
    <div class="ath-desk" @keydown="pressed">
      <div class="ath-desk-acts" role="toolbar" :aria-label="texts.actions">
        <label class="ath-desk-all" v-if="mayAct && alarms"><input type="checkbox" :checked="isAll" :indeterminate.prop="!isAll && chosen.size > 0" @change="chooseAll" :aria-label="texts.all" />
          <span aria-live="polite">{{ chosenCount ? texts.chosen.replace("{n}", chosenCount.toLocaleString()) : texts.all }}</span></label>
        <template v-if="mayAct">
          <button v-for="act in acts" :key="act.id" type="button" :class="{ 'is-main': act.id === 'acknowledge' }" :disabled="!chosenCount" @click="act_(act.id)" :title="act.key ? act.text + ' (' + act.key + ')' : act.text">
            <span class="material-icons" aria-hidden="true">{{ act.icon }}</span>{{ act.text }}</button>
        </template>
        <span class="ath-space"></span>
        <span class="ath-desk-total" aria-live="polite">{{ texts.total.replace("{n}", alarms.toLocaleString()) }}</span>
        <button type="button" class="is-icon is-plain ath-only-wide" :aria-label="texts.keys" :title="texts.keys + ' (?)'" @click="isHelp = !isHelp"><span class="material-icons" aria-hidden="true">keyboard</span></button>
      </div>
      <dl class="ath-desk-help" v-if="isHelp"><div v-for="[key, text] in texts.help" :key="key"><dt><kbd>{{ key }}</kbd></dt><dd>{{ text }}</dd></div></dl>
      <div class="ath-desk-scroll" ref="scroll" tabindex="0" role="grid" :aria-label="texts.list" :aria-rowcount="total" @scroll="scrolled">
        <div class="ath-desk-none" v-if="isKnown && !total">{{ nothing }}</div>
        <div :style="{ height: total * height + 'px', position: 'relative' }">
          <div v-for="(line, place) in rows" :key="line.g ?? line.id" class="ath-desk-line" role="row" :aria-rowindex="first + place + 1" :aria-selected="String(isChosen(line))"
               :class="[{ 'is-head': line.g !== undefined, 'is-calling': line.u, 'is-cursor': keyOf(line) === cursor, 'is-chosen': isChosen(line) }]" :style="{ transform: 'translateY(' + (first + place) * height + 'px)', height: height + 'px' }"
               @click="clicked(line, $event)">
            <template v-if="line.g !== undefined">
              <button type="button" class="is-icon is-plain" :aria-expanded="String(line.o)" :aria-label="line.n" @click.stop="$emit('toggle', line.g)"><span class="material-icons" aria-hidden="true">{{ line.o ? "expand_more" : "chevron_right" }}</span></button>
              <strong role="gridcell">{{ line.n }}</strong><small>{{ line.w }}</small><span class="ath-space"></span>
              <span class="ath-desk-counts"><span v-for="count in line.c" :key="count[0]" :title="count[2]"><span :class="'ath-prio is-p' + count[0]">{{ count[0] }}</span><b>{{ count[1] }}</b></span></span>
            </template>
            <template v-else>
              <span class="tick" role="gridcell" v-if="mayAct"><input type="checkbox" tabindex="-1" :checked="isChosen(line)" @click.stop="choose(line)" :aria-label="texts.choose + ' ' + line.n" /></span>
              <span role="gridcell" :class="'ath-prio is-p' + line.p" :title="line.pn">{{ line.p }}</span>
              <span class="name" role="gridcell"><a :href="line.a" :title="line.n">{{ line.n }}</a><small :title="line.w">{{ line.w }}</small></span>
              <span class="value" role="gridcell">{{ line.v }}<small v-if="line.l">{{ line.l }}</small></span>
              <span class="state" role="gridcell"><span :class="'ath-alarm-state is-' + line.s">{{ line.sn }}</span><small :title="line.d">{{ line.d }}</small></span>
              <span class="when" role="gridcell">{{ line.t }}<small>{{ lasting(line) }}</small></span>
              <span class="act" role="gridcell" v-if="mayAct"><button v-if="line.u" type="button" @click.stop="act_('acknowledge', line)">{{ texts.acknowledge }}</button></span>
            </template>
          </div>
        </div>
      </div>
    </div>`,
  props: { texts: Object, acts: Array, mayAct: Boolean },
  emits: ["window", "act", "toggle", "open", "shown"],
  data() {
    return { rows: [], first: 0, total: 0, alarms: 0, height: HEIGHTS.wide, chosen: new Set(), left: new Set(), isAll: false, cursor: null, isHelp: false, now: Date.now(), isKnown: false, nothing: "" };
  },
  computed: {
    chosenCount() {
      return this.isAll ? this.alarms - this.left.size : this.chosen.size;
    },
  },
  mounted() {
    this.told = new Set();
    this.narrow = matchMedia("(max-width: 700px)");
    this.fit = () => { this.height = this.narrow.matches ? HEIGHTS.narrow : HEIGHTS.wide; this.ask(); };
    this.narrow.addEventListener("change", this.fit);
    this.sizes = new ResizeObserver(() => this.ask());
    this.sizes.observe(this.$refs.scroll);
    this.clock = setInterval(() => (this.now = Date.now()), 1000);
    this.everywhere = (event) => this.pressedAnywhere(event);
    document.addEventListener("keydown", this.everywhere);
    this.fit();
  },
  beforeUnmount() {
    this.narrow.removeEventListener("change", this.fit);
    document.removeEventListener("keydown", this.everywhere);
    this.sizes.disconnect();
    clearInterval(this.clock);
  },
  methods: {
    // ---- what the server says ----
    show(first, total, alarms, rows, clockMs, nothing) {
      this.skew = Date.now() - clockMs; // a browser's clock may be wrong; the server's is what times are of
      [this.first, this.total, this.alarms, this.rows, this.isKnown, this.nothing] = [first, total, alarms, rows, true, nothing];
      this.report();
    },
    change(total, alarms, changes) {
      [this.total, this.alarms] = [total, alarms];
      for (const [place, line] of changes) this.rows[place] = line;
      this.report();
    },
    forget() { // other alarms are listed from here on
      [this.chosen, this.left, this.isAll, this.cursor] = [new Set(), new Set(), false, null];
      this.$refs.scroll.scrollTop = 0;
      this.ask();
    },
    done(ids) { // these have been dealt with, or all that were chosen: what was chosen meanwhile stays so
      if (ids) for (const id of ids) this.chosen.delete(id);
      else [this.chosen, this.left, this.isAll] = [new Set(), new Set(), false];
      this.$refs.scroll.focus({ preventScroll: true });
    },
    // Tells which alarms somebody could see, once each, after the browser has drawn them.
    report() {
      this.$nextTick(() => requestAnimationFrame(() => {
        const fresh = this.visible().filter((line) => line.u && line.oc && !this.told.has(line.oc)).map((line) => line.oc);
        for (const one of fresh) this.told.add(one);
        if (fresh.length && !document.hidden) this.$emit("shown", fresh);
      }));
    },
    visible() {
      const { scrollTop, clientHeight } = this.$refs.scroll ?? { scrollTop: 0, clientHeight: 0 };
      const from = Math.floor(scrollTop / this.height) - this.first, to = Math.ceil((scrollTop + clientHeight) / this.height) - this.first;
      return this.rows.slice(Math.max(0, from), Math.max(0, to));
    },

    // ---- the window ----
    ask() {
      if (!this.$refs.scroll) return;
      const { scrollTop, clientHeight } = this.$refs.scroll;
      const first = Math.max(0, Math.floor(scrollTop / this.height) - AHEAD);
      const count = Math.ceil(clientHeight / this.height) + 2 * AHEAD;
      if (first === this.asked?.[0] && count === this.asked?.[1]) return;
      this.asked = [first, count];
      this.$emit("window", { first, count });
    },
    scrolled() {
      if (this.waiting) return;
      this.waiting = requestAnimationFrame(() => { this.waiting = null; this.ask(); this.report(); });
    },

    // ---- choosing ----
    keyOf(line) {
      return line.g !== undefined ? "g" + line.g : line.id;
    },
    isChosen(line) {
      return line.id !== undefined && (this.isAll ? !this.left.has(line.id) : this.chosen.has(line.id));
    },
    choose(line) {
      const set = this.isAll ? this.left : this.chosen;
      if (!set.delete(line.id)) set.add(line.id);
      this.cursor = line.id;
    },
    chooseAll(event) {
      [this.isAll, this.chosen, this.left] = [event.target.checked, new Set(), new Set()];
    },
    clicked(line, event) {
      if (event.target.closest("a, button, input")) return;
      this.cursor = this.keyOf(line);
    },

    // ---- acting ----
    act_(what, line) {
      const only = line ? [line.id] : this.isAll ? [] : [...this.chosen];
      this.$emit("act", { what, ids: only, isAll: !line && this.isAll, left: line ? [] : [...this.left] });
    },
    current() {
      return this.rows.find((line) => this.keyOf(line) === this.cursor);
    },
    move(by) {
      const at = this.rows.findIndex((line) => this.keyOf(line) === this.cursor);
      const place = at < 0 ? Math.max(0, Math.floor(this.$refs.scroll.scrollTop / this.height) - this.first) : at + by;
      const line = this.rows[Math.min(this.rows.length - 1, Math.max(0, place))];
      if (!line) return;
      this.cursor = this.keyOf(line);
      const top = (this.first + this.rows.indexOf(line)) * this.height, box = this.$refs.scroll;
      if (top < box.scrollTop) box.scrollTop = top;
      if (top + this.height > box.scrollTop + box.clientHeight) box.scrollTop = top + this.height - box.clientHeight;
    },
    pressedAnywhere(event) {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest("input, select, textarea, button, a, dialog, summary") || document.querySelector("dialog[open]")) return;
      this.pressed(event);
    },
    pressed(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      if (event.target.closest("button, a") && ["Enter", " "].includes(event.key)) return;
      const line = this.current(), page = Math.max(1, Math.floor(this.$refs.scroll.clientHeight / this.height) - 1);
      const does = {
        j: () => this.move(1), ArrowDown: () => this.move(1), k: () => this.move(-1), ArrowUp: () => this.move(-1),
        PageDown: () => this.move(Math.min(page, AHEAD)), PageUp: () => this.move(-Math.min(page, AHEAD)),
        Home: () => { this.$refs.scroll.scrollTop = 0; this.cursor = null; },
        " ": () => line && (line.g !== undefined ? this.$emit("toggle", line.g) : this.mayAct && this.choose(line)),
        Enter: () => line && (line.g !== undefined ? this.$emit("toggle", line.g) : this.$emit("open", line.id)),
        Escape: () => { this.done(); this.isHelp = false; },
        "/": () => document.querySelector(".ath-desk-filters input")?.focus(), // at once: what is typed next belongs there
        "?": () => (this.isHelp = !this.isHelp),
      };
      const act = this.mayAct && this.acts.find((one) => one.key === event.key);
      if (act) does[event.key] = () => (this.chosenCount ? this.act_(act.id) : line?.id !== undefined && this.act_(act.id, line));
      if (!does[event.key]) return;
      event.preventDefault();
      event.stopPropagation();
      does[event.key]();
    },
    lasting(line) {
      if (!line.m) return "";
      const s = Math.max(0, Math.floor((this.now - (this.skew ?? 0) - line.m) / 1000));
      const [n, unit] = s < 120 ? [s, 0] : s < 7200 ? [Math.floor(s / 60), 1] : s < 172800 ? [Math.floor(s / 3600), 2] : [Math.floor(s / 86400), 3];
      return this.texts.lengths[unit].replace("{n}", n.toLocaleString());
    },
  },
};
