import { rejectRenamedOptions } from '../core/option-keys.ts'
import { pluginRenames } from '../upstream/spec/renamed.ts'
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { Aggregate } from '../fanout/aggregate.ts'
import type { RunEvent } from '../fanout/events.ts'
import { fanOut } from '../fanout/fan-out.ts'
import type { RawInput } from '../fanout/input.ts'
import type { Reply } from '../fanout/reply.ts'
import { createRuntime, type Runtime, type RuntimeOptions } from '../upstream/runtime.ts'
import type { Layers } from '../upstream/spec/layers.ts'

export interface RunAggregateOptions<I> {
  /**
   * Who answers for each upstream, by its name; a call to any other is an error, so that no test leaves the machine.
   */
  readonly upstreams: Readonly<Record<string, { readonly origin: string }>>
  /** The variables that `env('NAME')` of a declaration reads. @default {} */
  readonly environment?: RuntimeOptions['environment']
  /** Shortens the aggregate's deadline, in ms. */
  readonly deadline?: number
  readonly signal?: AbortSignal
  /** The context of the steps; the function of context() is not called. @default the value of context() */
  readonly context?: I extends { readonly context: infer C } ? C : never
  /** Custom layers around every upstream, outermost first. @default {} */
  readonly layers?: Layers
}

/** A reply, and everything that happened on its way. */
export interface TestedReply<D, K extends string> extends Reply<D, K> {
  readonly events: readonly RunEvent[]
}

/**
 * Runs an aggregate once against scripted upstreams, with a runtime of its own. Rejects with a `Problem`, as `fanOut`
 * does.
 */
export async function runAggregate<I, D, K extends string>(
  aggregate: Aggregate<I, D, K>,
  input: RawInput,
  options: RunAggregateOptions<I>,
): Promise<TestedReply<D, K>> {
  rejectRenamedOptions('runAggregate', options, pluginRenames)
  const { upstreams, environment = {}, deadline, signal, layers = {} } = options
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
  try {
    const reply = await fanOut('context' in options ? withContext(aggregate, options.context) : aggregate, input, {
      runtime: guarded,
      deadline,
      signal,
      onEvent: event => {
        events.push(event)
      },
    })
    // A context() may have caught the failure of its call.
    if (stranger !== undefined) throw stranger
    return { ...reply, events }
  } catch (error) {
    throw stranger ?? error
  } finally {
    await runtime.close()
  }
}

/** The same aggregate with a fixed context. */
function withContext<I, D, K extends string>(aggregate: Aggregate<I, D, K>, context: unknown): Aggregate<I, D, K> {
  const { name, hooks } = aggregate
  if (hooks.context === undefined)
    throw new TypeError(`the aggregate '${name}' has no context(): remove the option context`)
  return { ...aggregate, hooks: { ...hooks, context: { ...hooks.context, handler: () => context } } }
}

/** Finds these hosts and no others: a token endpoint is asked besides the upstreams. */
function lookupOnly(hosts: () => readonly string[]): LookupFunction {
  return (hostname, options, done) => {
    if (hosts().includes(hostname)) lookup(hostname, options, done)
    else
      done(
        new Error(
          `${hostname} is no upstream that runAggregate was given: let the test's environment say another place`,
        ),
        [],
      )
  }
}
