// Rows of process values. The server names the rows that changed: [index, text, state, flag, fraction, note].
export default {
  template: `
    <table class="ath-values" :aria-label="label">
      <tbody>
        <tr v-for="(row, index) in rows" :key="index" :class="now[index]?.state" :title="now[index]?.note || null">
          <td class="name"><a :href="row.address">{{ row.name }}</a><small>{{ row.place }}</small></td>
          <td class="bar" aria-hidden="true">
            <span class="ath-indicator" v-if="row.band">
              <span class="band" :style="{ left: row.band[0] * 100 + '%', right: (1 - row.band[1]) * 100 + '%' }"></span>
              <span class="hand" v-if="now[index] && now[index].fraction !== null" :style="{ left: now[index].fraction * 100 + '%' }"></span>
            </span>
          </td>
          <td class="value"><span class="flag" v-if="now[index]?.flag">{{ now[index].flag }}</span>{{ now[index]?.text ?? "–" }}</td>
          <td class="unit">{{ row.unit }}</td>
        </tr>
      </tbody>
    </table>`,
  props: { rows: Array, label: String },
  data() {
    return { now: {} };
  },
  methods: {
    change(rows) {
      for (const [index, text, state, flag, fraction, note] of rows) this.now[index] = { text, state, flag, fraction, note };
    },
  },
};
