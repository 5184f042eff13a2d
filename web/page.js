// The page of the operators. A view is a function that returns a tree; `patch` writes only what differs, so
// that focus, typed text and scroll stay where they are. What the API says is only ever set as text.

const POLL_MILLISECONDS = 2000;
const MAX_PAGES = 20;
const SLOTS = { assigned: "A", failed: "F", free: "O", withdrawn: "W" };
const STATUSES = ["awaited", "open", "ready", "failed", "timed_out", "cancelled"];
const ENDED = ["ready", "failed", "timed_out", "cancelled"];
const MOVERS = {
  upstream: "upstream's: it registers batches and sends files",
  els: "the service's own",
  consumer: "the consumer's: the result is out",
};
const BATCH_LISTS = ["ready_essays", "missing_essay_ids", "withdrawn_essay_ids", "validation_failures",
  "late_failures", "excess_contents"];

// ---------------------------------------------------------------- the tree

const h = (tag, attributes = {}, ...children) => ({
  tag, attributes, children: children.flat(Infinity).filter((child) => child || child === 0).map((child) =>
    (typeof child === "object" ? child : String(child))),
});

function make(node) {
  if (typeof node === "string") return document.createTextNode(node);
  const element = document.createElement(node.tag);
  dress(element, node.attributes);
  element.append(...node.children.map(make));
  return element;
}

function dress(element, attributes) {
  for (const { name } of [...element.attributes]) if (!(name in attributes)) element.removeAttribute(name);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element[name] = value;
    else if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

function patch(parent, nodes) {
  nodes.forEach((node, place) => {
    const old = parent.childNodes[place];
    if (!old) parent.append(make(node));
    else if (typeof node === "string" && old.nodeType === Node.TEXT_NODE) {
      if (old.data !== node) old.data = node;
    } else if (old.localName === node.tag && old.id === (node.attributes.id ?? "")) {
      dress(old, node.attributes);
      patch(old, node.children);
    } else old.replaceWith(make(node));
  });
  while (parent.childNodes.length > nodes.length) parent.lastChild.remove();
}

// ---------------------------------------------------------------- the API

class Problem extends Error {
  constructor(status, code, detail) {
    super(detail);
    Object.assign(this, { status, code });
  }
}

const known = new Map(); // path: the last answer and its ETag

async function ask(path, options = {}) {
  const last = options.method ? undefined : known.get(path);
  const headers = { ...options.headers, ...(last?.etag ? { "If-None-Match": last.etag } : {}) };
  const answer = await fetch(`/api${path}`, { cache: "no-store", ...options, headers });
  if (answer.status === 304 && last) return last.body;
  const text = await answer.text();
  if (!answer.ok) throw problemOf(answer.status, text);
  const body = JSON.parse(text);
  if (!options.method) known.set(path, { etag: answer.headers.get("ETag"), body });
  return body;
}

function problemOf(status, text) {
  try {
    const { code, detail, message } = JSON.parse(text);
    return new Problem(status, code ?? String(status), detail || message || text);
  } catch {
    return new Problem(status, String(status), text);
  }
}

async function askAll(path, lists) {
  const join = path.includes("?") ? "&" : "?";
  const whole = { ...await ask(path) };
  for (let token = whole.next_page_token, pages = 1; token && pages < MAX_PAGES; pages += 1) {
    const page = await ask(`${path}${join}page_token=${encodeURIComponent(token)}`);
    for (const list of lists) whole[list] = [...whole[list], ...page[list]];
    token = page.next_page_token;
  }
  return whole;
}

const post = (path, body, headers = {}) => ask(path, {
  method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...headers },
});

// ---------------------------------------------------------------- where we are

const segment = (text) => encodeURIComponent(text);

function route() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [view, id] = path.split("/").map(decodeURIComponent);
  return { view: VIEWS[view] ? view : "now", id, query: new URLSearchParams(query) };
}

const state = { route: null, data: null, seen: null, problem: null, since: null, form: {}, turn: 0 };
let timer;

async function refresh() {
  clearTimeout(timer);
  const turn = (state.turn += 1);
  try {
    const data = await VIEWS[state.route.view].load(state.route);
    if (turn !== state.turn) return;
    Object.assign(state, { data, seen: new Date(), problem: null, since: null });
  } catch (problem) {
    if (turn !== state.turn) return;
    Object.assign(state, { problem, since: state.since ?? new Date() });
  }
  render();
  if (!document.hidden) timer = setTimeout(refresh, POLL_MILLISECONDS);
}

function enter() {
  Object.assign(state, { route: route(), data: null, problem: null, since: null, form: {} });
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href").startsWith(`#/${state.route.view}`)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  patch(document.getElementById("main"), [h("p", {}, "Asking the service.")]);
  refresh().then(() => document.querySelector("h1")?.focus());
}

function render() {
  const view = VIEWS[state.route.view];
  patch(document.getElementById("connection"), connection());
  if (!state.data && !state.problem) return;
  const title = view.title(state.route);
  document.title = `${title} · Essay Lifecycle Service`;
  const absent = h("p", { class: "absent" }, state.problem?.message);
  patch(document.getElementById("main"), [
    h("h1", { tabindex: "-1" }, title), ...(state.data ? view.show(state.data, state.route) : [absent]),
  ]);
  const news = state.data && view.news ? view.news(state.data) : "";
  const announcer = document.getElementById("announcer");
  if (announcer.textContent !== news) announcer.textContent = news;
}

function connection() {
  if (!state.problem || (state.problem.status === 404 && !state.data)) return [];
  const seen = state.seen && state.data ? ` What you see is of ${state.seen.toLocaleTimeString()}.` : "";
  return [h("p", { class: "alarm" },
    `No answer since ${state.since.toLocaleTimeString()}: ${state.problem.message}.${seen}`)];
}

// ---------------------------------------------------------------- pieces

function moment(text) {
  if (!text) return "–";
  const seconds = (new Date(text) - Date.now()) / 1000;
  const [size, unit] = [[86400, "day"], [3600, "hour"], [60, "minute"]].find(([size]) => Math.abs(seconds) >= size)
    ?? [1, "second"];
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  return h("time", { datetime: text, title: new Date(text).toLocaleString() },
    unit === "second" ? (seconds > 0 ? "within a minute" : "just now") : relative.format(Math.round(seconds / size), unit));
}

const words = (name) => name.replaceAll("_", " ");
const batchLink = (id) => h("a", { href: `#/batch/${segment(id)}` }, id);
const badge = (batch) => [
  h("span", { class: `badge ${batch.status}` }, words(batch.status)),
  batch.is_stuck && [" ", h("span", { class: "badge stuck" }, "! stuck")],
];
const used = (batch) => `${batch.assigned_count + batch.failed_count} of ${batch.expected_count}`;
const facts = (pairs) => h("dl", {}, pairs.map(([name, value]) =>
  h("div", {}, h("dt", {}, words(name)), h("dd", {}, value ?? "–"))));

function table(caption, columns, rows, empty) {
  if (!rows.length) return h("p", { class: "absent" }, empty);
  return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, h("table", {},
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col" }, column)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, cell ?? "–")))))));
}

const batchTable = (caption, batches, empty) => table(caption,
  ["Batch", "Status", "Slots used", "Course", "Deadline", "Changed"],
  batches.map((each) => [batchLink(each.batch_id), badge(each), used(each), each.course_code,
    moment(each.deadline), moment(each.changed_at)]), empty);

const concerns = (system) => (system.concerns.length
  ? h("ul", { class: "concerns" }, system.concerns.map((each) => h("li", { class: each.severity },
    h("strong", {}, each.severity === "error" ? "✖ Error: " : "▲ Warning: "), each.sentence)))
  : h("p", { class: "well" }, "✔ Nothing is wrong."));

const concernNews = (system) => system.concerns.map((each) => each.sentence).join(" ") || "Nothing is wrong.";

// ---------------------------------------------------------------- views

const now = {
  title: () => "Now",
  load: async () => {
    const [system, stuck, newest] = await Promise.all(
      [ask("/system"), ask("/batches?stuck=true&page_size=20"), ask("/batches?page_size=10")]
        .map((each) => each.catch((problem) => problem)));
    if (system instanceof Error) throw system;
    return { system, stuck: stuck.batches, newest: newest.batches };
  },
  show: ({ system, stuck, newest }) => [
    concerns(system),
    system.backlog && facts(Object.entries(system.backlog)),
    ...(stuck && newest ? [
      h("h2", {}, "Stuck"), batchTable("Batches that wait for the service itself", stuck, "No batch is stuck."),
      h("h2", {}, "Newest"), batchTable("The newest batches", newest, "There is no batch yet."),
    ] : [h("p", { class: "absent" }, "The batches cannot be read.")]),
  ].filter(Boolean),
  news: ({ system }) => concernNews(system),
};

const FILTERS = ["user_id", "org_id", "course_code"];

const batches = {
  title: () => "Batches",
  load: ({ query }) => {
    const asked = new URLSearchParams(query);
    asked.set("page_size", "50");
    return ask(`/batches?${asked}`);
  },
  show: (data, { query }) => [
    h("form", { class: "filters", onsubmit: filter },
      h("label", {}, "Status ", h("select", { name: "status" }, h("option", { value: "" }, "any"),
        STATUSES.map((each) =>
          h("option", { value: each, selected: query.get("status") === each ? "" : null }, words(each))))),
      ["stuck", "parked"].map((each) => h("label", {}, h("input",
        { type: "checkbox", name: each, value: "true", checked: query.get(each) ? "" : null }), ` ${each}`)),
      FILTERS.map((each) => h("label", {}, `${words(each)} `, h("input",
        { name: each, value: query.get(each) ?? "", maxlength: "128", spellcheck: "false" }))),
      h("button", {}, "Show")),
    batchTable("Batches, the newest first", data.batches, "No batch matches."),
    data.next_page_token && h("p", {}, h("a", { href: olderPage(query, data.next_page_token) }, "Older batches")),
  ].filter(Boolean),
  news: (data) => `${data.batches.length} batches shown`,
};

function filter(event) {
  event.preventDefault();
  const chosen = [...new FormData(event.target)].filter(([, value]) => value.trim());
  location.hash = `#/batches?${new URLSearchParams(chosen)}`;
}

function olderPage(query, token) {
  const older = new URLSearchParams(query);
  older.set("page_token", token);
  return `#/batches?${older}`;
}

const batch = {
  title: ({ id }) => `Batch ${id}`,
  load: async ({ id }) => {
    const path = `/batches/${segment(id)}`;
    const [data, history] = await Promise.all(
      [askAll(path, BATCH_LISTS), askAll(`${path}/history`, ["entries"])]);
    return { ...data, history: history.entries };
  },
  show: (data) => [
    h("p", { class: "sentence" }, badge(data), " ", data.sentence),
    h("p", {}, `The next move is ${MOVERS[data.mover]}.`),
    h("h2", {}, "Slots"), legend(), slots(data),
    h("h2", {}, "Act"), commandForm(data),
    h("h2", {}, "Facts"), batchFacts(data),
    ...left(data),
    h("h2", {}, "History"), historyTable(data.history),
  ],
  news: (data) => data.sentence,
};

const legend = () => h("p", { class: "legend" }, Object.entries(SLOTS).map(([name, letter]) =>
  [h("span", { class: `slot ${name}` }, letter), ` ${name} `]));

function slots(data) {
  const all = [
    ...data.ready_essays.map((each) => [each.essay_id, "assigned", `content ${each.text_storage_id}`]),
    ...data.validation_failures.map((each) => [each.essay_id, "failed", each.validation_error_code]),
    ...data.missing_essay_ids.map((id) => [id, "free", ""]),
    ...data.withdrawn_essay_ids.map((id) => [id, "withdrawn", ""]),
  ].sort(([one], [other]) => (one < other ? -1 : 1));
  if (!all.length) return h("p", { class: "absent" }, "No slot is known before the registration.");
  return h("ol", { class: "slots", "aria-label": "slots" }, all.map(([id, name, detail]) =>
    h("li", { class: `slot ${name}`, title: `${id}: ${name} ${detail}` },
      h("span", { "aria-hidden": "true" }, SLOTS[name]), h("span", { class: "unseen" }, `${id}: ${name} ${detail}`))));
}

const batchFacts = (data) => facts([
  ["epoch", data.epoch], ["version", data.version], ["expected", data.expected_count],
  ["assigned", data.assigned_count], ["failed", data.failed_count], ["missing", data.missing_count],
  ["withdrawn", data.withdrawn_count], ["parked", data.parked_count], ["late", data.late_count],
  ["excess", data.excess_count], ["taken in when re-opened", data.reopening_takes_count],
  ["course", data.course_code], ["user", data.user_id], ["organisation", data.org_id],
  ["deadline", moment(data.deadline)], ["created", moment(data.created_at)],
  ["last arrival", moment(data.last_arrival_at)],
  ["result", data.announcement && [`${data.announcement.detail_type}, first sent `,
    moment(data.announcement.first_sent_at)]],
]);

const left = (data) => [
  data.excess_contents.length && [h("h2", {}, "Excess"), table("Contents without a slot", ["Content", "Reason", "When"],
    data.excess_contents.map((each) => [each.text_storage_id, each.reason, moment(each.recorded_at)]))],
  data.late_failures.length && [h("h2", {}, "Late"), table("Failures without a slot", ["Failure", "Error", "When"],
    data.late_failures.map((each) => [each.identity, each.validation_error_code, moment(each.recorded_at)]))],
  data.rejected_registrations.length && [h("h2", {}, "Rejected registrations"),
    table("Registrations that differed", ["Other fields", "When"],
      data.rejected_registrations.map((each) => [each.differing_fields.join(", "), moment(each.rejected_at)]))],
].flat(Infinity).filter(Boolean);

const historyTable = (entries) => table("What happened, the newest first", ["When", "What", "Of", "Reason", "By", "Comment"],
  [...entries].reverse().map((each) => [moment(each.at), words(each.kind),
    [each.command && words(each.command), each.identity, each.essay_id, each.status && words(each.status)]
      .filter(Boolean).join(" "), each.reason, each.by, each.comment]), "Nothing happened yet.");

// ---------------------------------------------------------------- commands

const ids = (text) => text.split(/[\s,]+/).filter(Boolean);
const slotField = { name: "essay_ids", label: "Slots, separated by blanks", read: ids };
const COMMANDS = {
  close: { label: "Close it with what it has", when: ["open"], fields: [] },
  change_deadline: { label: "Change the deadline", when: ["open"],
    fields: [{ name: "deadline", label: "New deadline", type: "datetime-local", read: (text) => new Date(text).toISOString() }] },
  add_slots: { label: "Add slots", when: ["open"], fields: [slotField] },
  withdraw_slots: { label: "Withdraw free slots", when: ["open"], fields: [slotField] },
  release_slot: { label: "Release a slot", when: ["open"],
    fields: [{ name: "identity", label: "Identity, such as content:ID", read: (text) => text.trim() }] },
  reopen: { label: "Re-open it", when: ENDED, fields: [
    { name: "timeout_seconds", label: "For how many minutes", type: "number", read: (text) => Math.round(text * 60) },
    { name: "add_slots", label: "Slots to add, separated by blanks", optional: true, read: ids }] },
  announce: { label: "Announce the result again", when: ENDED, fields: [] },
  cancel: { label: "Cancel it", when: ["awaited", "open"], fields: [], typed: true },
};

function commandForm(data) {
  const possible = Object.keys(COMMANDS).filter((name) => COMMANDS[name].when.includes(data.status));
  const chosen = possible.includes(state.form.command) ? state.form.command : possible[0];
  const { fields, typed } = COMMANDS[chosen];
  const field = (name, label, type = "text", required = true) => h("label", { for: `field-${name}` }, `${label} `,
    h("input", { id: `field-${name}`, name, type, required: required ? "" : null, min: type === "number" ? "1" : null,
      spellcheck: "false", autocomplete: "off" }));
  return h("form", { id: "act", onsubmit: (event) => act(event, chosen) },
    h("label", { for: "command" }, "Command ", h("select", { id: "command", name: "command",
      onchange: (event) => { state.form = { command: event.target.value }; render(); } },
    possible.map((name) => h("option", { value: name, selected: name === chosen ? "" : null }, COMMANDS[name].label)))),
    fields.map((each) => field(each.name, each.label, each.type, !each.optional)),
    field("reason", "Reason, kept in the history", "text", false),
    typed && field("typed", "Type the id of the batch to cancel it", "text", false),
    h("p", {}, h("button", { name: "trial", value: "yes" }, "Try it: a dry run"), " ",
      h("button", { name: "trial", value: "" }, "Do it")),
    h("p", { role: "status", class: "outcome" }, state.form.outcome));
}

async function act(event, name) {
  event.preventDefault();
  const { target: form, submitter } = event;
  const { batch_id: id, epoch } = state.data;
  const isTrial = submitter?.value === "yes";
  if (COMMANDS[name].typed && !isTrial && form.elements.typed.value !== id) {
    tell("Nothing was done: type the id of the batch to cancel it.");
    form.elements.typed.focus();
    return;
  }
  const body = { command: name, if_epoch: epoch, ...(isTrial ? { dry_run: true } : {}) };
  if (form.elements.reason.value.trim()) body.reason = form.elements.reason.value.trim();
  for (const each of COMMANDS[name].fields) {
    const text = form.elements[each.name].value;
    if (text.trim()) body[each.name] = each.read(text);
  }
  // The same key until an answer came: repeating it after a lost answer does nothing twice.
  const key = isTrial ? crypto.randomUUID() : (state.form.key ??= crypto.randomUUID());
  try {
    tell(outcome(await post(`/batches/${segment(id)}/commands`, body, { "Idempotency-Key": key })));
    if (!isTrial) delete state.form.key;
  } catch (problem) {
    if (problem.status < 500) delete state.form.key;
    tell(problem.status < 500 ? `Refused, ${problem.code}: ${problem.message}`
      : `No answer: ${problem.message}. Do it again: it is done only once.`);
  }
  refresh();
}

function tell(text) {
  state.form.outcome = text;
  render();
}

function outcome(result) {
  const verb = result.is_dry_run ? "It would be applied" : "Applied";
  const parts = [`${verb}: ${words(result.status)}, epoch ${result.epoch}, version ${result.version}`];
  if (result.withdrawn_essay_ids.length) parts.push(`withdrawn ${result.withdrawn_essay_ids.join(", ")}`);
  if (result.released.length) parts.push(`${result.released.length} released`);
  if (result.taken_in_count) parts.push(`${result.taken_in_count} excess contents taken in`);
  return `${parts.join("; ")}.`;
}

// ---------------------------------------------------------------- the rest of the views

const deadLetters = {
  title: () => "Dead letters",
  load: () => ask("/dead-letters"),
  show: (data) => [
    table("Queues", ["Queue", "About how many", "Send back"], data.queues.map((each) => [each.queue, each.count,
      h("button", { onclick: () => redrive(each.queue), "aria-label": `Redrive ${each.queue}` }, "Redrive")]),
    "There is no dead-letter queue."),
    h("p", { role: "status", class: "outcome" }, state.form.outcome),
    table("What a look into the queues shows", ["Queue", "Error", "Field", "Batch", "Reason", "Sent"],
      data.dead_letters.map((each) => [each.queue, each.error_code, each.field,
        each.batch_id && batchLink(each.batch_id), each.reason, moment(each.sent_at)]), "No dead letter."),
  ],
  news: (data) => `${data.dead_letters.length} dead letters`,
};

async function redrive(queue) {
  try {
    const { redriven_count: sent, remaining_count: remain } = await post("/dead-letters/redrive", { queue });
    tell(`${queue}: ${sent} went back, ${remain} remain.`);
  } catch (problem) {
    tell(`${queue}: ${problem.message}`);
  }
  refresh();
}

const system = {
  title: () => "System",
  load: () => ask("/system"),
  show: (data) => [
    concerns(data),
    table("Stores", ["Store", "State"],
      data.stores.map((each) => [each.name, each.is_up ? "✔ answers" : "✖ does not answer"]), "No store."),
    table("Queues", ["Queue", "Waiting", "In flight"],
      (data.queues ?? []).map((each) => [each.name, each.waiting, each.in_flight]), "The queues do not answer."),
    table("Jobs", ["Job", "Last run"], data.jobs.map((each) =>
      [each.name, each.seconds_since === null ? "never" : `${each.seconds_since} seconds ago`]), "No job."),
  ],
  news: concernNews,
};

const find = {
  title: ({ id }) => `Where ${id} occurs`,
  load: ({ id }) => askAll(`/find/${segment(id)}`, ["found"]),
  show: (data) => [table("Batches in which it occurs", ["Batch", "As", "Outcome", "Slot", "Reason", "When"],
    data.found.map((each) => [batchLink(each.batch_id), each.kind, words(each.outcome), each.essay_id, each.reason,
      moment(each.at)]), "It occurs nowhere.")],
  news: (data) => `${data.found.length} places found`,
};

const VIEWS = { now, batches, batch, "dead-letters": deadLetters, system, find };

document.querySelector("form.search").onsubmit = (event) => {
  event.preventDefault();
  location.hash = `#/find/${segment(event.target.elements.searched.value.trim())}`;
};
document.onvisibilitychange = () => { if (!document.hidden) refresh(); };
window.onhashchange = enter;
enter();
