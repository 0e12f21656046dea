import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { UpstreamError } from '../../src/errors.ts'
import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { Reply } from '../../src/fanout/reply.ts'
import { EverySnapshot, type TestedSnapshot } from '../../src/testing/every-snapshot.ts'
import { heldRuntime, type HeldCall, type HeldRuntime } from '../helpers/held-runtime.ts'
import { builderOf, fallbackOf, lostItem, nameOf, plans, valuesOf, type Plan } from '../helpers/random-aggregate.ts'
import { streamed, type StreamedEvent } from '../helpers/streamed.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

/** Steps with fallbacks are frequent, because a run has no snapshot while any other step is in progress. */
const tolerant: readonly Plan['kind'][] = ['optional', 'each', 'chains', 'pages']
const kinds: readonly Plan['kind'][] = [...tolerant, ...tolerant, 'required', 'firstOf', 'plain', 'asking']

/** The kinds of steps whose value is a list of items. */
const listed: ReadonlySet<Plan['kind']> = new Set(['each', 'chains', 'pages'])

type Data = Readonly<Record<string, unknown>>

/** How the calls of a run end: the order, and whether they fail. */
interface Arrivals {
  readonly picks: readonly number[]
  readonly failures: readonly boolean[]
  /** Whether a call may fail whose failure fails the run. */
  readonly isRough: boolean
}

const arrivals: fc.Arbitrary<Arrivals> = fc.record({
  picks: fc.array(fc.nat(50), { minLength: 5, maxLength: 30 }),
  failures: fc.array(fc.boolean(), { minLength: 5, maxLength: 30 }),
  isRough: fc.boolean(),
})

const withBounds = plans(1, kinds).chain(steps =>
  fc
    .array(fc.nat(3), { minLength: steps.length, maxLength: steps.length })
    .map(bounds =>
      steps.map((step, index) => ({ ...step, failing: bounds[index] !== 3, minSuccess: bounds[index] as number })),
    ),
)

/** The aggregate of a plan, with a schema that tells lists from texts. */
function describe(steps: readonly Plan[]): AnyAggregate {
  const shape = steps.map(({ kind }, index) => {
    const isList = listed.has(kind) || kind === 'asking'
    return [nameOf(index), isList ? z.array(z.string()) : z.string()] as const
  })
  return builderOf(steps).reply(z.object(Object.fromEntries(shape)), args => valuesOf(steps, args))
}

/** Ends the held calls of a run until nothing is left to end. */
async function release(runtime: HeldRuntime, steps: readonly Plan[], { picks, failures, isRough }: Arrivals) {
  const open: HeldCall[] = []
  let known = 0
  for (let at = 0; ; at++) {
    await turn()
    open.push(...runtime.calls.slice(known))
    known = runtime.calls.length
    const [held] = open.splice((picks[at % picks.length] as number) % Math.max(1, open.length), 1)
    if (held === undefined) return
    const { kind, failing } = steps[held.call.step] as Plan
    const mayFail =
      kind === 'optional' || (failing && (listed.has(kind) || kind === 'asking')) || (isRough && at % 7 === 6)
    if (mayFail && failures[at % failures.length] === true) held.fail(new UpstreamError('UPSTREAM_RESET', 'oracle'))
    else held.answer(`answer ${held.path}`)
  }
}

/** Throws unless a list of events is a valid beginning of a stream. */
function checkGrammar(events: readonly StreamedEvent[]): void {
  const ended = new Set<string>()
  for (const [at, event] of events.entries()) {
    if ((event.event === 'plan') !== (at === 0)) throw new Error(`${event.event} at ${at}`)
    if (event.event === 'dropped') throw new Error(`dropped: ${String(event.error)}`)
    const isLast = event.event === 'reply' || event.event === 'problem'
    if (isLast && at !== events.length - 1) throw new Error(`${event.event} is not the last event`)
    if (event.event === 'item' || event.event === 'page' || event.event === 'source') {
      if (ended.has(event.name)) throw new Error(`${event.event} after the end of ${event.name}`)
      if (event.event === 'source') ended.add(event.name)
    }
    // A snapshot follows the ends of the steps that it has.
    if (event.event === 'snapshot')
      for (const name of Object.keys(event.data as Data))
        if (ended.has(name) === event.pending.includes(name)) throw new Error(`a snapshot with ${name} in between`)
  }
}

/** Throws if a value that has arrived is not in a later one. */
function checkImproves(steps: readonly Plan[], before: Data, after: Data): void {
  for (const [index, { kind }] of steps.entries()) {
    const name = nameOf(index)
    const [old, now] = [before[name], after[name]]
    if (listed.has(kind)) {
      for (const [at, item] of (old as readonly string[]).entries())
        if (item !== lostItem && item !== (now as readonly string[])[at]) throw new Error(`${name} has lost item ${at}`)
    } else if (old !== fallbackOf(index) && JSON.stringify(old) !== JSON.stringify(now))
      throw new Error(`${name} has changed from ${String(old)} to ${String(now)}`)
  }
}

function checkAll(
  steps: readonly Plan[],
  snapshots: readonly TestedSnapshot<unknown>[],
  reply: Reply<unknown, string> | undefined,
) {
  for (const [at, { data, pending }] of snapshots.entries()) {
    const next = snapshots[at + 1]
    const after = next === undefined ? reply?.data : next.data
    if (after !== undefined) checkImproves(steps, data as Data, after as Data)
    if (next?.pending.some(name => !pending.includes(name))) throw new Error('a step that had ended is pending')
  }
}

/** The parts of a reply that do not depend on the time. */
const lasting = (reply: Reply<unknown, string> | undefined) =>
  JSON.stringify([
    reply?.data,
    reply?.complete,
    Object.entries(reply?.sources ?? {}).map(([name, { state, code, calls, ok, failed }]) => [
      name,
      state,
      code,
      calls,
      ok,
      failed,
    ]),
  ])

const settled = (reply: Promise<Reply<unknown, string>>) => reply.catch(() => undefined)

test('in every graph and order of arrival snapshots only improve, each prefix of a stream is valid, and its reply is plain', async t => {
  let count = 0
  await fc.assert(
    fc.asyncProperty(withBounds, arrivals, async (steps, order) => {
      const described = describe(steps)
      const [runtime, plainRuntime] = [heldRuntime(), heldRuntime()]
      const every = new EverySnapshot(described)
      const stream = streamed(described, { runtime }, {}, every)
      const plain = watched(described, { runtime: plainRuntime })
      await Promise.all([release(runtime, steps, order), release(plainRuntime, steps, order)])
      const [reply, plainReply, snapshots] = await Promise.all([
        settled(stream.reply),
        settled(plain.reply),
        every.all(),
      ])
      checkGrammar(stream.events)
      if (stream.events.at(-1)?.event !== (reply === undefined ? 'problem' : 'reply')) throw new Error('no end')
      checkAll(steps, snapshots, reply)
      count += snapshots.length
      return lasting(reply) === lasting(plainReply)
    }),
    { numRuns: 300 },
  )
  t.ok(count > 50, `${count} snapshots`)
})
