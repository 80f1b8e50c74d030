"""Charts as SVG. One colour a tool, undo stands out; a white ground, so that they can be read on a dark page too."""
import matplotlib
import matplotlib.ticker

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

COLOURS = {"undo": "#d1410c", "git": "#4477aa", "restic": "#228833", "rustic": "#88aa55", "borg": "#aa7733", "cp": "#999999",
           "b3sum": "#222222"}
BARS = {"first": "first record of everything", "again": "again, nothing changed", "edit": "after 1 % changed",
        "diff": "what differs", "rollback": "roll back", "full": "into an empty folder"}
plt.rcParams.update({"font.size": 9, "font.family": "sans-serif", "svg.fonttype": "none", "svg.hashsalt": "undo",
                     "axes.spines.top": False, "axes.spines.right": False, "figure.facecolor": "white",
                     "axes.facecolor": "white", "axes.edgecolor": "#888888", "axes.titlesize": 10})


def save(figure, path, stamp):
    figure.savefig(path, metadata={"Date": None, "Creator": None, "Description": f"figures {stamp}"})
    plt.close(figure)


def seconds(value):
    return f"{value:.0f} s" if value >= 100 else f"{value:.3g} s" if value >= 0.1 else f"{value * 1000:.3g} ms"


def bars(tools, title, path, stamp):
    """A panel a step, a bar a tool, each panel with a scale of its own."""
    figure, panels = plt.subplots(2, 3, figsize=(9, 4.4), layout="constrained")
    for panel, (step, name) in zip(panels.flat, BARS.items()):
        shown = [tool for tool in reversed(COLOURS) if step in tools.get(tool, {"steps": {}})["steps"]]
        values = [tools[tool]["steps"][step][0] for tool in shown]
        drawn = panel.barh(shown, values, color=[COLOURS[tool] for tool in shown], height=0.7)
        panel.bar_label(drawn, [seconds(value) for value in values], padding=3, fontsize=8)
        panel.set_xlim(0, max(values) * 1.3)
        panel.xaxis.set_major_locator(plt.MaxNLocator(4))
        panel.tick_params(axis="y", length=0)
        for label in panel.get_yticklabels():
            label.set_fontweight("bold" if label.get_text() == "undo" else "normal")
        panel.set_title(name, loc="left")
    for panel in panels[1]:
        panel.set_xlabel("seconds, shorter is better")
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
    save(figure, path, stamp)


def curves(found, title, x_label, path, stamp):
    """A line a tool, both axes by powers of ten; its name stands at its end."""
    figure, panel = plt.subplots(figsize=(7, 4), layout="constrained")
    for tool, points in found.items():
        is_own = tool == "undo"
        style = {"linewidth": 2.6 if is_own else 1.4, "marker": "o", "markersize": 5 if is_own else 3.5, "zorder": 3 if is_own else 2}
        panel.plot(*zip(*points), color=COLOURS[tool], linestyle="--" if tool == "b3sum" else "-", label=tool, **style)
    panel.set(xscale="log", yscale="log", xlabel=x_label, ylabel="seconds, lower is better")
    points = sorted({x for points in found.values() for x, _ in points})
    panel.set_xticks(points, [f"{x:,}" for x in points])
    panel.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    panel.yaxis.set_minor_locator(matplotlib.ticker.LogLocator(subs=[2, 5]))
    for set_formatter in (panel.yaxis.set_major_formatter, panel.yaxis.set_minor_formatter):
        set_formatter(lambda y, _: f"{y:g}")
    panel.grid(True, which="major", color="#dddddd", linewidth=0.6)
    panel.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    panel.set_title(title, loc="left", fontweight="bold")
    save(figure, path, stamp)
