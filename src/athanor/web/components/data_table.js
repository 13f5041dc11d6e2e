// The table's browser half: shows the rows it is given and says which rows the person wants.
export default {
  template: `
    <div>
      <div class="ath-table-tools">
        <h2>{{ caption }}</h2><span class="ath-space"></span>
        <input v-if="searchable" type="search" v-model="text" :placeholder="texts.search" :aria-label="texts.search" />
        <button v-if="exportable" type="button" class="is-icon is-plain" :aria-label="texts.export" :title="texts.export" @click="$emit('export')">
          <span class="material-icons" aria-hidden="true">download</span></button>
      </div>
      <div class="ath-table-scroll" v-if="rows.length" tabindex="0" role="region" :aria-label="caption">
        <table class="ath-table is-stacked" :aria-label="caption">
          <thead><tr>
            <th v-for="column in columns" :key="column.id" :class="{ 'is-number': column.is_number }" :aria-sort="order(column)">
              <button v-if="column.is_sortable" type="button" @click="sortBy(column)">{{ column.title }}
                <span class="material-icons" aria-hidden="true">{{ sort === column.id ? (isDescending ? "arrow_downward" : "arrow_upward") : "" }}</span></button>
              <template v-else>{{ column.title }}</template>
            </th>
          </tr></thead>
          <tbody><tr v-for="(row, index) in rows" :key="index">
            <td v-for="column in columns" :key="column.id" :data-label="column.title"
                :class="[row[column.id].s, { 'is-number': column.is_number, 'is-wide': column.is_wide }]">
              <div><span class="mark" v-if="row[column.id].m">{{ row[column.id].m }}</span><a v-if="row[column.id].a" :href="row[column.id].a">{{ row[column.id].t }}</a><template v-else>{{ row[column.id].t }}</template><small v-if="row[column.id].n">{{ row[column.id].n }}</small></div>
            </td>
          </tr></tbody>
        </table>
      </div>
      <div class="ath-table-none" v-else-if="total === 0">{{ texts.nothing }}</div>
      <div class="ath-table-foot" v-if="total > pageSize">
        <span aria-live="polite">{{ place }}</span>
        <button type="button" class="is-icon" :disabled="offset === 0" :aria-label="texts.previous" @click="go(-1)"><span class="material-icons" aria-hidden="true">chevron_left</span></button>
        <button type="button" class="is-icon" :disabled="offset + pageSize >= total" :aria-label="texts.next" @click="go(1)"><span class="material-icons" aria-hidden="true">chevron_right</span></button>
      </div>
    </div>`,
  props: { columns: Array, caption: String, texts: Object, pageSize: Number, searchable: Boolean, exportable: Boolean },
  emits: ["query", "export"],
  data() {
    return { rows: [], total: -1, isMore: false, offset: 0, text: "", sort: null, isDescending: false };
  },
  mounted() {
    this.ask();
  },
  watch: {
    text() {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.askFrom(0), 200);
    },
  },
  computed: {
    place() {
      return (this.isMore ? this.texts.ofMore : this.texts.of)
        .replace("{first}", this.offset + 1)
        .replace("{last}", Math.min(this.offset + this.pageSize, this.total))
        .replace("{total}", this.total);
    },
  },
  methods: {
    ask() {
      this.$emit("query", { text: this.text, sort: this.sort, isDescending: this.isDescending, offset: this.offset });
    },
    askFrom(offset) {
      this.offset = offset;
      this.ask();
    },
    go(pages) {
      this.askFrom(Math.max(0, this.offset + pages * this.pageSize));
    },
    sortBy(column) {
      this.isDescending = this.sort === column.id ? !this.isDescending : column.is_number;
      this.sort = column.id;
      this.askFrom(0);
    },
    order(column) {
      if (this.sort !== column.id) return null;
      return this.isDescending ? "descending" : "ascending";
    },
    show(rows, total, offset, isMore) {
      [this.rows, this.total, this.offset, this.isMore] = [rows, total, offset, isMore];
    },
    change(rows) {
      for (const [index, row] of rows) this.rows[index] = row;
    },
  },
};
