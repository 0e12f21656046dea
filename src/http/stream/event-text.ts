import { writeJson } from '../../core/json/write.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { stateOf } from '../../fanout/shown-sources.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type {
  EndEvent,
  ItemEvent,
  PlanEvent,
  PlannedStep,
  SnapshotEvent,
  SourceEvent,
  StreamEvent,
} from '../../fanout/stream-event.ts'

/** The steps in the plans of an aggregate. They are the same for all its runs. */
const plannedSteps = new WeakMap<AnyAggregate, readonly PlannedStep[]>()

/** Returns the steps of an aggregate, as plans name them. */
export function plannedStepsOf(aggregate: AnyAggregate): readonly PlannedStep[] {
  let planned = plannedSteps.get(aggregate)
  if (planned === undefined) {
    const { steps } = aggregate
    planned = steps.map(({ name, kind, needs }) => ({ name, kind, needs: needs.map(at => (steps[at] as Named).name) }))
    plannedSteps.set(aggregate, planned)
  }
  return planned
}

type Named = AnyAggregate['steps'][number]

/**
 * Returns the JSON of an event of a stream, with the part that callers see. With the level `none`, no event names a
 * step, and callers get no `source` and no `item`.
 *
 * @param isExact - True if the data is known to contain bigints.
 */
export function eventText(event: StreamEvent, level: SourcesLevel, isExact = false): string {
  switch (event.event) {
    case 'plan':
      return JSON.stringify(shownPlan(event, level))
    case 'source':
      return JSON.stringify(shownSource(event, level))
    case 'item':
      return JSON.stringify(shownItem(event, level))
    case 'snapshot':
      return snapshotText(event, level, isExact)
    case 'reply':
    case 'problem':
      return endText(event)
  }
}

function shownPlan(plan: PlanEvent, level: SourcesLevel): object {
  if (level === 'full') return plan
  const { event, run, deadline, steps } = plan
  return level === 'none'
    ? { event, run, deadline }
    : { event, run, deadline, steps: steps.map(({ name }) => ({ name })) }
}

function shownSource(source: SourceEvent, level: SourcesLevel): object {
  return level === 'full' ? source : { ...source, outcome: stateOf(source.outcome) }
}

function shownItem(item: ItemEvent, level: SourcesLevel): object {
  if (level === 'full') return item
  const { event, name, index, calls, state } = item
  return { event, name, index, calls, state }
}

function snapshotText({ data, pending }: SnapshotEvent, level: SourcesLevel, isExact: boolean): string {
  const steps = level === 'none' ? '' : `,"pending":${JSON.stringify(pending)}`
  return `{"event":"snapshot","data":${writeJson(data, isExact)},"complete":false${steps}}`
}

/** The body is the very text of the plain answer. */
function endText({ event, status, headers, text }: EndEvent): string {
  return `{"event":"${event}","status":${status},"headers":${JSON.stringify(headers)},"body":${text}}`
}
