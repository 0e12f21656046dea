import { z } from 'zod'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { StepKind } from '../../fanout/step.ts'
import { ErrorCode, ListOutcome, Outcome } from './outcome-schema.ts'
import { OutcomeState } from './outcome-state.ts'
import { problemSchemas } from './problem-schema.ts'

const kinds = ['required', 'optional', 'each', 'firstOf', 'pages'] satisfies StepKind[]

const stepName = z.string().describe('The name of the step.')

const StreamStep = z
  .object({
    name: stepName,
    kind: z.enum(kinds).describe('The kind of the step.'),
    needs: z.array(z.string()).describe('The names of the steps whose values the step needs.'),
  })
  .describe('A step of a run.')
  .meta({ id: 'StreamStep' })

const plan = {
  event: z.literal('plan'),
  run: z.uuid().describe('The id of the run.'),
  deadline: z.number().min(0).describe('The limit on the run, in ms from its start.'),
}
const planWords = 'The first event of a stream. It is sent before a step starts.'
const steps = 'The steps, in the order of their declaration.'

const StreamPlan = z
  .object({ ...plan, steps: z.array(StreamStep).describe(steps) })
  .describe(planWords)
  .meta({ id: 'StreamPlan' })
const StreamPlanWithNames = z
  .object({ ...plan, steps: z.array(z.object({ name: stepName })).describe(steps) })
  .describe(planWords)
  .meta({ id: 'StreamPlanWithNames' })
const StreamPlanWithoutSteps = z.object(plan).describe(planWords).meta({ id: 'StreamPlanWithoutSteps' })

const source = {
  event: z.literal('source'),
  name: z.string().describe('The name of the step; `context` for the function of context().'),
}
const sourceWords = 'The end of a step.'

const StreamSource = z
  .object({
    ...source,
    outcome: z.union([Outcome, ListOutcome]).describe('The entry of the step in `sources` of the reply.'),
  })
  .describe(sourceWords)
  .meta({ id: 'StreamSource' })
const StreamSourceWithState = z
  .object({ ...source, outcome: OutcomeState })
  .describe(sourceWords)
  .meta({ id: 'StreamSourceWithState' })

const item = {
  event: z.literal('item'),
  name: stepName,
  index: z.int().min(0).describe('The index of the item in its list, from 0.'),
  calls: z.int().min(0).describe('The length of the list.'),
  state: z.enum(['ok', 'stale', 'failed']).describe('How the call of the item ended.'),
}
const itemWords =
  'The end of one item of a step with a list of calls. A reader that is behind does not get each of them.'

const StreamItem = z
  .object({
    ...item,
    code: ErrorCode.optional().describe('The code of the failure.'),
    status: z.int().min(100).max(599).optional().describe('The HTTP status of the upstream, if it responded.'),
  })
  .describe(itemWords)
  .meta({ id: 'StreamItem' })
const StreamItemWithState = z.object(item).describe(itemWords).meta({ id: 'StreamItemWithState' })

/** The headers of a plain reply, as the last event of a stream has them. */
export const StreamHeaders = z
  .record(z.string(), z.union([z.string(), z.array(z.string())]))
  .describe('The headers of the plain reply, by lower-case name.')
  .meta({ id: 'StreamHeaders' })

/** The description of the event of a run that failed. */
export const problemWords = 'The last event of a run that failed. Its body is that of the plain reply.'

function problemEvent(body: z.ZodType, id: string) {
  return z
    .object({ event: z.literal('problem'), status: z.int().min(400).max(599), headers: StreamHeaders, body })
    .describe(problemWords)
    .meta({ id })
}

/** The schemas of the events that all streams share. */
interface StreamSchemas {
  readonly plan: z.ZodType
  /** Undefined if callers see no step. */
  readonly source?: z.ZodType
  /** Undefined if callers see no step. */
  readonly item?: z.ZodType
  readonly problem: z.ZodType
}

/** The schemas of the events that all streams share, by the part of the sources that callers see. */
export const streamSchemas: Readonly<Record<SourcesLevel, StreamSchemas>> = {
  full: {
    plan: StreamPlan,
    source: StreamSource,
    item: StreamItem,
    problem: problemEvent(problemSchemas.full.own, 'StreamProblem'),
  },
  states: {
    plan: StreamPlanWithNames,
    source: StreamSourceWithState,
    item: StreamItemWithState,
    problem: problemEvent(problemSchemas.states.own, 'StreamProblemWithStates'),
  },
  none: {
    plan: StreamPlanWithoutSteps,
    problem: problemEvent(problemSchemas.none.own, 'StreamProblemWithoutSources'),
  },
}
