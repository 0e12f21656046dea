import { endToEnd, lowerCased } from '../core/end-to-end.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { RawInput } from '../fanout/input.ts'
import type { Step } from '../fanout/step.ts'
import { requestTrace } from '../trace/request-trace.ts'
import { addressOf } from '../upstream/override.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import type { Call } from '../upstream/call/call.ts'
import { explainCall, type Inbound } from './explain-call.ts'
import { explainStep } from './explain-step.ts'
import { explainUpstream, overrideOf, type UpstreamSettings } from './explain-upstream.ts'
import type { ExplainedCall, ExplainedStep, ExplainedUpstream, Explanation, Limit, Times } from './explanation.ts'
import { groupedCalls } from './grouped-calls.ts'
import { placeholder } from './placeholder.ts'
import { readKnownInput } from './read-known-input.ts'
import { runLimits, stepLimits } from './run-limits.ts'
import { TemplateBook } from './template-book.ts'
import { withTexts } from './with-texts.ts'

/** The time that the functions of one step have together, in ms. */
const stepLimit = 100

/** The time that all steps together have, in ms. */
const wholeLimit = 1000

/** The largest number of different calls of a step that are listed. */
const mostCalls = 5

export interface ExplainOptions extends UpstreamSettings {
  /** A deadline that is shorter than that of the aggregate, in ms. @default that of the aggregate */
  readonly deadline?: number | undefined
  /** The limits of the service. @default none */
  readonly service?: readonly Limit[]
  /** Values of steps, by name, in place of placeholders. @default {} */
  readonly values?: Readonly<Record<string, unknown>>
  /** Removes secrets from a text. @default removes nothing */
  readonly hide?: (text: string) => string
  /** True if notes may have the message of an error, which may have data. @default false */
  readonly showsMessages?: boolean
  /** The folder from which the paths of notes are shown. @default whole paths */
  readonly folder?: string
  /** The largest number of different calls of a step that are listed. @default 5 */
  readonly mostCalls?: number
}

/**
 * Explains what a run of an aggregate would send. It sends nothing and does not call context(), the merge, onReply()
 * and `next` of pages. It calls the function of each step once; a value that only a run would have is a placeholder.
 *
 * @param aggregate - The aggregate.
 * @param input - The parts of a request. A required field that is missing is a placeholder.
 * @throws Problem `INPUT_INVALID` with all faults of the given fields.
 */
export async function explain(aggregate: AnyAggregate, input: RawInput, options: ExplainOptions): Promise<Explanation> {
  const { route, steps, hooks } = aggregate
  const { deadline, service = [], values = {}, hide = text => text, showsMessages = false, folder } = options
  const book = new TemplateBook()
  const headers = endToEnd(lowerCased(input.headers ?? {}))
  const read = readKnownInput(route, { ...input, headers }, book)
  const inbound = { headers: headers as Inbound['headers'], trace: requestTrace(headers, 0) }
  const context = hooks.context && placeholder(book, 'context')
  const valueOf = (name: string) => (Object.hasOwn(values, name) ? values[name] : placeholder(book, name))
  const found = new Map<UpstreamSpec, ExplainedUpstream>()
  const shortened = Math.min(deadline ?? Infinity, route.deadline)
  const upstreamOf = (spec: UpstreamSpec) => {
    let own = found.get(spec)
    if (own === undefined) found.set(spec, (own = explainUpstream(spec, options, shortened)))
    return own
  }
  const explainOne = (call: Call<unknown>, times: Times): ExplainedCall => {
    const { upstream } = call.spec
    upstreamOf(upstream)
    return explainCall(call, times, inbound, addressOf(upstream, overrideOf(upstream, options)))
  }
  const endsAt = performance.now() + wholeLimit
  const explained: ExplainedStep[] = hooks.context === undefined ? [] : [contextOf(hooks.context)]
  for (const step of steps) {
    const after = step.needs.map(index => (steps[index] as Step).name)
    // A timer of less than 1 ms does not exist.
    const limit = Math.min(stepLimit, endsAt - performance.now())
    const { calls, notes } =
      limit < 1
        ? { calls: [], notes: [`cannot be shown: the steps before it took more than ${wholeLimit} ms`] }
        : await explainStep(
            step,
            { input: read, context, needs: Object.fromEntries(after.map(name => [name, valueOf(name)])) },
            { book, limit, showsMessages, folder },
          )
    const listed = groupedCalls(calls, step.maxItems, explainOne)
    const shown = listed.slice(0, options.mostCalls ?? mostCalls)
    explained.push({
      name: step.name,
      kind: step.kind,
      after,
      limits: stepLimits(step),
      calls: shown,
      omittedCalls: listed.slice(shown.length).reduce((sum, { times }) => sum + (times as number), 0),
      notes,
    })
  }
  const explanation: Explanation = {
    aggregate: aggregate.name,
    method: route.method,
    url: route.url,
    limits: runLimits(route, deadline),
    steps: explained,
    upstreams: Object.fromEntries(Array.from(found, ([{ name }, own]) => [name, own])),
    service: { limits: service },
  }
  return withTexts(explanation, text => hide(book.shown(text)))
}

function contextOf(step: Step): ExplainedStep {
  return {
    name: step.name,
    kind: 'context',
    after: [],
    limits: [],
    calls: [],
    omittedCalls: 0,
    notes: ['not run: its calls are not known, and its value is {context}'],
  }
}
