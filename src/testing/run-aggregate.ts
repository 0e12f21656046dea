import { rejectUnknownOptions, type OptionKeys } from '../core/option-keys.ts'
import { checkBoolean } from '../core/option-values.ts'
import { pluginRenames } from '../upstream/spec/renamed.ts'
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { Aggregate } from '../fanout/aggregate.ts'
import type { RunEvent } from '../fanout/events.ts'
import { createTracedRun } from '../fanout/fan-out.ts'
import type { RawInput } from '../fanout/input.ts'
import type { Reply } from '../fanout/reply.ts'
import { requireReply } from '../fanout/require-reply.ts'
import { createRuntime, type Runtime, type RuntimeOptions } from '../upstream/runtime.ts'
import type { Layers } from '../upstream/spec/layers.ts'
import { EverySnapshot, type TestedSnapshot } from './every-snapshot.ts'
import { watchUnqueued } from './unqueued-call.ts'

/** Options of `runAggregate`. */
export interface RunAggregateOptions<I> {
  /**
   * The origin that answers for each upstream, by the name of the upstream. A call to another upstream is an error, so
   * that a test cannot reach a real upstream by mistake.
   */
  readonly upstreams: Readonly<Record<string, { readonly origin: string }>>
  /** The variables that `env('NAME')` of a declaration reads. @default {} */
  readonly environment?: RuntimeOptions['environment']
  /** A deadline that is shorter than the deadline of the aggregate, in ms. @default the deadline of the aggregate */
  readonly deadline?: number
  /** Ends the run when it is aborted. @default no signal */
  readonly signal?: AbortSignal
  /**
   * The context of the steps. If it is set, the function of context() is not called.
   * @default the value of context()
   */
  readonly context?: I extends { readonly context: infer C } ? C : never
  /** Custom layers around every upstream, outermost first. @default {} */
  readonly layers?: Layers
  /**
   * If true, the reply has the snapshots that a stream may have: one after each value that arrives. A snapshot that
   * cannot be made is an error.
   * @default false
   */
  readonly snapshots?: boolean
}

const runAggregateOptions: OptionKeys<RunAggregateOptions<unknown>> = {
  upstreams: true,
  environment: true,
  deadline: true,
  signal: true,
  context: true,
  layers: true,
  snapshots: true,
}

/** A reply with the events of its run. */
export interface TestedReply<D, K extends string> extends Reply<D, K> {
  /** The events of the run, in order. */
  readonly events: readonly RunEvent[]
  /** The snapshots of the run, in order. The list is empty without the option `snapshots`. */
  readonly snapshots: readonly TestedSnapshot<D>[]
}

/**
 * Runs an aggregate once against scripted upstreams. It creates a runtime for the run and closes it afterwards.
 *
 * @param aggregate The aggregate.
 * @param input The parts of a request, before the schemas of the aggregate read them.
 * @param options The upstreams and the settings of the run.
 * @returns The data, `complete`, `sources`, the events and the snapshots of the run.
 * @throws `Problem` for a run that fails, with the code that a caller would get, such as `INPUT_INVALID` or
 *   `UPSTREAM_STATUS`.
 * @throws `Error` for a call to an upstream that `options.upstreams` does not have.
 * @throws `Error` for a call for which nothing is queued, even if its step has a fallback. The message has the call,
 *   the file and line that called `runAggregate`, and the queued answers that were not used. `cause` is the error of
 *   the run, if the run failed.
 * @throws `Error` for a snapshot that cannot be made, with the option `snapshots`. `cause` is the error of its merge,
 *   or of the schema of the reply.
 * @throws `TypeError` for an unknown option, for a declaration that has not ended with reply(), and for `context` if
 *   the aggregate has no context().
 * @example
 * ```ts
 * import { aggregate, defineUpstream, operation } from 'headwaters'
 * import { runAggregate, scriptedUpstream } from 'headwaters/testing'
 * import { z } from 'zod'
 *
 * const cats = defineUpstream('cats', { origin: 'https://cats.example' }, {
 *   fact: operation({ path: '/fact', output: z.object({ fact: z.string() }) }),
 * })
 * const card = aggregate('card', { url: '/card' })
 *   .required('fact', () => cats.fact())
 *   .reply(z.object({ text: z.string() }), ({ fact }) => ({ text: fact.fact }))
 *
 * await using upstream = await scriptedUpstream()
 * upstream.answer(cats.fact, { fact: 'They purr.' })
 * const { data, complete } = await runAggregate(card, {}, { upstreams: { cats: upstream } })
 * ```
 */
export async function runAggregate<I, D, K extends string>(
  aggregate: Aggregate<I, D, K>,
  input: RawInput,
  options: RunAggregateOptions<I>,
): Promise<TestedReply<D, K>> {
  rejectUnknownOptions('runAggregate', options, runAggregateOptions, { renamed: pluginRenames })
  requireReply('runAggregate: the first argument', aggregate)
  const { upstreams, environment = {}, deadline, signal, layers = {}, snapshots = false } = options
  checkBoolean('runAggregate', 'snapshots', snapshots)
  const unqueued = watchUnqueued(upstreams, runAggregate)
  const overrides = Object.fromEntries(Object.entries(upstreams).map(([name, { origin }]) => [name, { origin }]))
  const runtime = createRuntime({
    overrides,
    environment,
    layers,
    lookup: lookupOnly(() => Object.values(upstreams).map(({ origin }) => new URL(origin).hostname)),
  })
  const events: RunEvent[] = []
  let stranger: Error | undefined

  const guarded: Runtime = {
    ...runtime,
    send(call) {
      const { upstream, name } = call.spec
      if (Object.hasOwn(upstreams, upstream.name)) return runtime.send(call)
      stranger ??= new Error(
        `the aggregate '${aggregate.name}' calls ${name}: give runAggregate an upstream for '${upstream.name}'`,
      )
      return Promise.reject(stranger)
    },
  }
  const ran = 'context' in options ? withContext(aggregate, options.context) : aggregate
  const progress = snapshots ? new EverySnapshot(ran) : undefined
  let reply: Reply<D, K>
  try {
    const traced = createTracedRun(ran, input, {
      runtime: guarded,
      deadline,
      signal,
      progress,
      onEvent: event => {
        events.push(event)
      },
    })
    progress?.attach(traced.run)
    reply = await traced.start()
  } catch (error) {
    throw stranger ?? unqueued(error) ?? error
  } finally {
    await runtime.close()
  }
  // A fallback, or the function of context(), may have hidden this error, so that the run succeeded.
  const hidden = stranger ?? unqueued()
  if (hidden !== undefined) throw hidden
  const taken = progress === undefined ? [] : await progress.all()
  return { ...reply, events, snapshots: taken as readonly TestedSnapshot<D>[] }
}

/** Returns the aggregate with a fixed context. */
function withContext<I, D, K extends string>(aggregate: Aggregate<I, D, K>, context: unknown): Aggregate<I, D, K> {
  const { name, hooks } = aggregate
  if (hooks.context === undefined)
    throw new TypeError(`the aggregate '${name}' has no context(): remove the option context`)
  return { ...aggregate, hooks: { ...hooks, context: { ...hooks.context, handler: () => context } } }
}

/**
 * Returns a DNS lookup that resolves only these hosts. It also refuses token endpoints, which the check in `send` does
 * not cover.
 */
function lookupOnly(hosts: () => readonly string[]): LookupFunction {
  return (hostname, options, done) => {
    if (hosts().includes(hostname)) lookup(hostname, options, done)
    else
      done(
        new Error(
          `${hostname} is not the host of an upstream of runAggregate: ` +
            "declare its URL with env('NAME'), and set it in the option environment",
        ),
        [],
      )
  }
}
