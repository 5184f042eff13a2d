// BullMQ: a flow for each batch; its parent runs when all its children are done. An arrival is a child that is done.
//
// As fast as it can, the worker finds all children in the queue. At a pace, and when Redis loses everything, the
// children are delayed and an arrival promotes its own. A duplicate is the child added again under its job id,
// which BullMQ ignores as long as it keeps the job.
// https://docs.bullmq.io/guide/flows  https://docs.bullmq.io/guide/jobs/job-ids
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";

const require = createRequire(`${process.env.PEER_MODULES}/`);
const { FlowProducer, Job, Queue, Worker } = require("bullmq");
const { Redis } = require("ioredis");

const work = JSON.parse(readFileSync(process.env.PEER_JOB, "utf8"));
const QUIET_SECONDS = 2;
const CONCURRENCY = 50;
const LONG = 86_400_000; // milliseconds
const arrivesOneByOne = Boolean(work.per_second || work.flush_before);
const monotonic = () => Number(process.hrtime.bigint()) / 1e9;
const connect = () => new Redis(work.redis_url, { maxRetriesPerRequest: null });
const child = (batch, identity) => ({
  name: "arrival",
  data: { batch, identity },
  opts: { jobId: `${batch}_${identity}`, ...(arrivesOneByOne && { delay: LONG }) },
});
const children = new Queue("children", { connection: connect() });

function announced() {
  const times = {};
  if (!existsSync(work.finals)) return times;
  for (const line of readFileSync(work.finals, "utf8").split("\n").filter(Boolean)) {
    const [batch, time] = line.split(" ");
    (times[batch] ??= []).push(Number(time));
  }
  return times;
}

async function register() {
  if (!arrivesOneByOne) await children.pause();
  const flows = new FlowProducer({ connection: connect() });
  const own = new Map(Object.keys(work.batches).map((batch) => [batch, new Set()]));
  for (const [batch, identity] of work.arrivals) own.get(batch).add(identity);
  for (const [batch, identities] of own) {
    await flows.add({
      name: "batch",
      queueName: "parents",
      data: { batch },
      children: [...identities].map((identity) => ({ queueName: "children", ...child(batch, identity) })),
    });
  }
}

const startWorkers = () => [
  new Worker("children", async (one) => one.data.identity, { connection: connect(), concurrency: CONCURRENCY }),
  new Worker("parents", async (one) => appendFileSync(work.finals, `${one.data.batch} ${monotonic()}\n`), {
    connection: connect(),
    concurrency: CONCURRENCY,
  }),
];

const duplicate = ([batch, identity]) => ({ ...child(batch, identity) });

async function promote([batch, identity]) {
  const own = await Job.fromId(children, `${batch}_${identity}`);
  await own?.promote().catch(() => {}); // it is no longer delayed, or it is gone
}

async function deliverOneByOne(start) {
  const missing = { ...work.batches };
  const seen = new Set();
  const complete = {};
  for (const [number, arrival] of work.arrivals.entries()) {
    if (number === work.flush_before) {
      await sleep(QUIET_SECONDS * 1000);
      await connect().flushall();
    }
    if (work.per_second) await sleep(Math.max(0, (start + number / work.per_second - monotonic()) * 1000));
    const key = arrival.join("_");
    if (seen.has(key)) {
      const { name, data, opts } = duplicate(arrival);
      await children.add(name, data, opts);
    } else {
      seen.add(key);
      missing[arrival[0]] -= 1;
      if (missing[arrival[0]] === 0) complete[arrival[0]] = monotonic();
      await promote(arrival);
    }
  }
  return complete;
}

async function deliverAllAtOnce() {
  const seen = new Set();
  const duplicates = work.arrivals.filter((arrival) => {
    const key = arrival.join("_");
    return seen.has(key) || !seen.add(key);
  });
  await children.resume();
  await children.addBulk(duplicates.map(duplicate));
  return {};
}

async function waitForFinals() {
  let [last, since, quiet] = [-1, monotonic(), 0];
  while (monotonic() - since < quiet || last < 0) {
    const times = announced();
    quiet = Object.keys(work.batches).every((batch) => batch in times) ? QUIET_SECONDS : work.patience;
    const found = Object.values(times).flat().length;
    if (found !== last) [last, since] = [found, monotonic()];
    await sleep(50);
  }
}

await register();
const workers = startWorkers();
await Promise.all(workers.map((worker) => worker.waitUntilReady()));
const start = monotonic();
const complete = await (arrivesOneByOne ? deliverOneByOne(start) : deliverAllAtOnce());
await waitForFinals();
writeFileSync(work.answer, JSON.stringify({ start, complete, finals: announced() }));
process.exit(0);
