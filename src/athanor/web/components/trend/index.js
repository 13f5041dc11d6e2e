// What the trend chart is made of: its series, its axes, its gestures. The component in trend_chart.js joins them.
export { Series } from "./series.js";
export { PlantClock, niceRange, valueAxis } from "./axes.js";
export { listen } from "./gestures.js";
