// Charts: <figure data-chart="id">, its options as JSON in the page. Colours are the page's.
(() => {
  "use strict";
  const draw = (figure) => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const options = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
    const chart = echarts.getInstanceByDom(figure) ?? echarts.init(figure, null, { renderer: "canvas" });
    const axis = { axisLine: { lineStyle: { color: colour("--line") } }, axisLabel: { color: colour("--soft") },
      splitLine: { lineStyle: { color: colour("--line") } } };
    const themed = (given) => [given ?? []].flat().map((one) => ({ ...axis, ...one }));
    chart.setOption({
      animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      color: ["--accent", "--soft", "--good", "--warn", "--bad"].map(colour),
      textStyle: { fontFamily: style.fontFamily },
      grid: { left: 0, right: 8, top: 16, bottom: 0, containLabel: true },
      ...options,
      // Rich text, not HTML: nothing that a chart shows can become an element.
      tooltip: { trigger: "axis", renderMode: "richText", ...options.tooltip },
      xAxis: themed(options.xAxis),
      yAxis: themed(options.yAxis),
    }, true);
  };
  const all = () => document.querySelectorAll("[data-chart]").forEach(draw);
  document.addEventListener("DOMContentLoaded", all);
  document.addEventListener("htmx:afterSettle", all);
  addEventListener("resize", () => document.querySelectorAll("[data-chart]").forEach(
    (figure) => echarts.getInstanceByDom(figure)?.resize()));
  new MutationObserver(all).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
})();
