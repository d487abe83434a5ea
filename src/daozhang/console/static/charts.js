// Charts: <figure data-chart="id">, its options as JSON in an element beside it, of that id. Colours are the page's.
(() => {
  "use strict";
  const draw = (figure) => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const options = JSON.parse(document.getElementById(figure.dataset.chart).dataset.options);
    const known = echarts.getInstanceByDom(figure);
    const chart = known ?? echarts.init(figure, null, { renderer: "canvas" });
    // What is shown leads to its rows; only to a page of ours.
    const lead = (data) => {
      if (/^\/(?!\/)/.test(data?.href ?? "")) location.assign(data.href);
    };
    // A bar is hit itself; of lines it is the point nearest to where somebody clicked.
    if (!known) chart.on("click", ({ data }) => lead(data));
    if (!known) chart.getZr().on("click", ({ offsetX, offsetY }) => {
      if (!chart.containPixel("grid", [offsetX, offsetY])) return;
      const points = chart.getOption().series.flatMap(({ type, data }, seriesIndex) => {
        if (type !== "line") return [];
        const at = Math.round(chart.convertFromPixel({ seriesIndex }, [offsetX, offsetY])[0]);
        if (!data[at]?.href) return [];
        const [, y] = chart.convertToPixel({ seriesIndex }, [at, Number(data[at].value)]);
        return [{ far: Math.abs(y - offsetY), data: data[at] }];
      });
      lead(points.sort((one, other) => one.far - other.far)[0]?.data);
    });
    const axis = { axisLine: { lineStyle: { color: colour("--line") } }, axisLabel: { color: colour("--soft") },
      splitLine: { lineStyle: { color: colour("--line") } } };
    const themed = (given) => [given ?? []].flat().map((one) => ({ ...axis, ...one }));
    chart.setOption({
      animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      color: ["--accent", "--soft", "--good", "--warn", "--bad"].map(colour),
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 0, right: 12, top: 28, bottom: 0, containLabel: true },
      ...options,
      // Rich text, not HTML: nothing that a chart shows can become an element.
      tooltip: { trigger: "axis", renderMode: "richText", ...options.tooltip },
      xAxis: themed(options.xAxis),
      yAxis: themed(options.yAxis),
      legend: { show: Boolean(options.legend), textStyle: { color: colour("--soft") }, ...options.legend },
      series: options.series.map(({ role, ...one }) => (
        role ? { ...one, itemStyle: { color: colour(`--${role}`) } } : one)),
    }, true);
  };
  const all = () => document.querySelectorAll("[data-chart]").forEach(draw);
  document.addEventListener("DOMContentLoaded", all);
  document.addEventListener("htmx:afterSettle", all);
  addEventListener("resize", () => document.querySelectorAll("[data-chart]").forEach(
    (figure) => echarts.getInstanceByDom(figure)?.resize()));
  new MutationObserver(all).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
})();
