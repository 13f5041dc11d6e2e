// The bell in every page's header: how many alarms wait, the worst of them in a pop-up, and its sound. The server sends
// what waits; what is shut, and whether the browser lets it sound, is known here.
const SEEN = "athanor_alarm_put_off", SOUNDED = "athanor_alarm_sounded"; // kept in the browser
// For each priority: tones [Hz, start s, length s], and after how many seconds they come again; 0 for once.
const SOUNDS = {
  1: { tones: [[988, 0, 0.14], [740, 0.17, 0.14], [988, 0.34, 0.14], [740, 0.51, 0.14]], again: 3 },
  2: { tones: [[784, 0, 0.18], [784, 0.3, 0.18]], again: 8 },
  3: { tones: [[587, 0, 0.25]], again: 0 },
  4: { tones: [[440, 0, 0.15]], again: 0 },
};
const LOUDNESS = { 1: 0.3, 2: 0.22, 3: 0.15, 4: 0.1 };

export default {
  template: `
    <div class="ath-bell">
      <button v-if="isMute && calling" type="button" class="ath-bell-mute" @click="unlock">
        <span class="material-icons" aria-hidden="true">volume_off</span><span class="ath-only-wide">{{ texts.mute }}</span><span class="ath-hidden-text">{{ texts.mute }}</span></button>
      <details class="ath-menu">
        <summary class="ath-button is-plain" :class="{ 'is-calling': calling }" :aria-label="label" :title="label">
          <span class="material-icons" aria-hidden="true">{{ silenced ? "notifications_off" : calling ? "notifications_active" : "notifications" }}</span>
          <span class="ath-bell-counts"><template v-for="count in counts" :key="count[0]"><span v-if="count[1]" class="ath-bell-count"><span :class="'ath-prio is-p' + count[0]">{{ count[0] }}</span><b>{{ count[1].toLocaleString() }}</b></span></template></span>
        </summary>
        <div>
          <div class="ath-menu-title">{{ label }}</div>
          <a class="ath-button is-plain" href="/alarms"><span class="material-icons" aria-hidden="true">list</span>{{ texts.desk }}</a>
          <div class="ath-menu-title">{{ silenced ? texts.silentUntil.replace("{time}", silenced) : texts.sound }}</div>
          <template v-if="!silenced"><button v-for="[minutes, text] in texts.silences" :key="minutes" type="button" class="is-plain" @click="$emit('silence', minutes)">
            <span class="material-icons" aria-hidden="true">volume_off</span>{{ text }}</button></template>
          <button v-else type="button" class="is-plain" @click="$emit('silence', 0)"><span class="material-icons" aria-hidden="true">volume_up</span>{{ texts.unsilence }}</button>
          <button type="button" class="is-plain" @click.stop="tryIt"><span class="material-icons" aria-hidden="true">music_note</span>{{ texts.tryIt }}</button>
        </div>
      </details>
      <section v-if="shown" class="ath-alarm-popup" :class="'is-p' + shown.p" role="alertdialog" aria-live="assertive" :aria-label="shown.pn + ': ' + shown.n">
        <div class="ath-alarm-popup-head"><span :class="'ath-prio is-p' + shown.p">{{ shown.p }}</span><strong>{{ shown.pn }}</strong><span class="ath-space"></span><span>{{ shown.t }}</span>
          <button type="button" class="is-icon is-plain" :aria-label="texts.later" :title="texts.later" @click="putOff"><span class="material-icons" aria-hidden="true">close</span></button></div>
        <h2>{{ shown.n }}</h2>
        <p>{{ shown.w }}</p>
        <p v-if="shown.v"><b>{{ shown.v }}</b> {{ shown.l }}</p>
        <p v-if="shown.act">{{ shown.act }}</p>
        <div class="ath-alarm-popup-foot">
          <button v-if="mayAct" type="button" class="is-main" @click="$emit('acknowledge', shown.id)">{{ texts.acknowledge }}</button>
          <a class="ath-button" :href="shown.a">{{ texts.go }}</a><span class="ath-space"></span>
          <a v-if="more" href="/alarms">{{ texts.more.replace("{n}", more.toLocaleString()) }}</a>
        </div>
      </section>
    </div>`,
  props: { texts: Object, mayAct: Boolean },
  emits: ["silence", "acknowledge", "shown"],
  data() {
    return { counts: [], top: null, calling: 0, worst: null, silenced: "", silentMs: 0, isMute: false, putOffUntil: Number(sessionStorage.getItem(SEEN) ?? 0), newest: 0, ready: false };
  },
  computed: {
    // On the desk the list itself shows it; what was put off comes back with the next alarm.
    shown() {
      return this.top && this.newest > this.putOffUntil && !["/alarms", this.top.a].includes(location.pathname) ? this.top : null;
    },
    more() {
      return this.calling - 1;
    },
    label() {
      return this.calling ? this.texts.waiting.replace("{n}", this.calling.toLocaleString()) : this.texts.quiet;
    },
  },
  mounted() {
    this.told = new Set();
    this.last = 0; // the newest occurrence that has sounded
    const Context = window.AudioContext ?? window.webkitAudioContext;
    if (Context) this.audio = new Context();
    this.isMute = !this.audio || this.audio.state !== "running";
    if (this.audio) this.audio.onstatechange = () => (this.isMute = this.audio.state !== "running");
    this.onGesture = () => this.isMute && this.unlock();
    for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, this.onGesture, { passive: true });
    this.timer = setInterval(() => this.repeat(), 500);
  },
  beforeUnmount() {
    for (const name of ["pointerdown", "keydown"]) document.removeEventListener(name, this.onGesture);
    clearInterval(this.timer);
    this.audio?.close();
  },
  methods: {
    // What waits: counts [priority, how many], the worst alarm, the newest occurrence of each priority.
    take({ counts, top, newest, silentMs, silentText }) {
      this.counts = counts;
      this.calling = counts.reduce((sum, [, count]) => sum + count, 0);
      this.top = top;
      this.worst = counts.find(([, count]) => count)?.[0] ?? null;
      this.silenced = silentText;
      this.silentMs = silentMs ? performance.now() + silentMs : 0;
      this.newest = Math.max(0, ...Object.values(newest));
      const fresh = Object.entries(newest).filter(([, occurrence]) => occurrence > this.last).map(([priority]) => Number(priority));
      this.last = Math.max(this.last, this.newest);
      if (fresh.length && this.ready) this.sound(Math.min(...fresh));
      this.ready = true; // what stood when the page was opened is no news, but for what calls again and again
      this.$nextTick(() => requestAnimationFrame(() => this.report()));
    },
    report() {
      const one = this.shown?.oc;
      if (!one || this.told.has(one) || document.hidden) return;
      this.told.add(one);
      this.$emit("shown", one);
    },
    putOff() {
      this.putOffUntil = this.newest;
      sessionStorage.setItem(SEEN, String(this.newest));
    },

    // ---- sound ----
    unlock() {
      this.audio?.resume().then(() => (this.isMute = this.audio.state !== "running"));
    },
    repeat() {
      if (this.silenced && this.silentMs && performance.now() > this.silentMs) this.silenced = "";
      const again = this.worst ? SOUNDS[this.worst].again : 0;
      if (again && Date.now() - (this.soundedAt ?? 0) > again * 1000) this.sound(this.worst);
    },
    // Of several pages of one person one sounds: it says so to the others.
    sound(priority) {
      if (this.silenced || this.isMute) return;
      const [at, of] = (localStorage.getItem(SOUNDED) ?? "0 9").split(" ").map(Number);
      this.soundedAt = Date.now();
      if (Date.now() - at < 1500 && of <= priority) return;
      localStorage.setItem(SOUNDED, `${Date.now()} ${priority}`);
      this.play(priority);
    },
    tryIt() {
      this.unlock();
      this.play(this.worst ?? 2);
    },
    play(priority) {
      if (!this.audio) return;
      for (const [frequency, start, length] of SOUNDS[priority].tones) {
        const tone = this.audio.createOscillator(), level = this.audio.createGain(), at = this.audio.currentTime + 0.02 + start;
        tone.frequency.value = frequency;
        tone.type = "triangle";
        level.gain.setValueAtTime(0, at);
        level.gain.linearRampToValueAtTime(LOUDNESS[priority], at + 0.015); // no click at either end
        level.gain.setValueAtTime(LOUDNESS[priority], at + length - 0.03);
        level.gain.linearRampToValueAtTime(0, at + length);
        tone.connect(level).connect(this.audio.destination);
        tone.start(at);
        tone.stop(at + length);
      }
      this.$el.dataset.sounded = String(Number(this.$el.dataset.sounded ?? 0) + 1); // how often, for who tests it
    },
  },
};
