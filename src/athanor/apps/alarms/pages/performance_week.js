// How many alarms came in each hour of the week: the darker, the more. The number shows to the pointer.
export default {
  template: `
    <div class="ath-perf-week-scroll"><table class="ath-perf-week">
      <caption class="ath-hidden-text">{{ caption }}</caption>
      <thead><tr><td></td><th v-for="hour in 24" :key="hour" scope="col">{{ (hour - 1) % 3 ? "" : hour - 1 }}</th></tr></thead>
      <tbody><tr v-for="(row, day) in counts" :key="day"><th scope="row">{{ days[day] }}</th>
        <td v-for="(count, hour) in row" :key="hour" :style="dress(count)" :title="days[day] + ' ' + String(hour).padStart(2, '0') + ':00 · ' + count + ' ' + unit"><span class="ath-hidden-text">{{ count }}</span></td></tr></tbody>
    </table></div>`,
  props: { counts: Array, days: Array, caption: String, unit: String },
  computed: {
    most() { return Math.max(1, ...this.counts.flat()); },
  },
  methods: {
    dress(count) {
      const share = count ? 12 + Math.round((88 * count) / this.most) : 0;
      return { background: `color-mix(in srgb, var(--series-1) ${share}%, var(--surface-sunken))` };
    },
  },
};
