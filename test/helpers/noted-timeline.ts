import type { RunTimeline } from '../../src/fanout/run-timeline.ts'

/** A timeline that notes each call of its functions in one line. */
export interface NotedTimeline extends RunTimeline {
  readonly notes: readonly string[]
  /** The timelines of the runs that are a part of this run. */
  readonly parts: readonly NotedTimeline[]
}

export function notedTimeline(id = 'the id', then: (note: string) => void = () => {}): NotedTimeline {
  const notes: string[] = []
  const parts: NotedTimeline[] = []
  const add = (note: string) => {
    notes.push(note)
    then(note)
  }
  return {
    id,
    notes,
    parts,
    callSent: (step, call, { spec, path }) => add(`${step}.${call} sent ${spec.name} ${path}`),
    event(event) {
      const of = 'call' in event ? `${event.step}.${event.call}` : event.step
      add(`${of} ${event.type}`)
    },
    ended({ state, status, code, cancelledBy }, { deadline, outcomes }) {
      const reason = cancelledBy === undefined ? '' : ` by ${cancelledBy as string}`
      const steps = Object.entries(outcomes ?? {}).map(([name, outcome]) => `${name}=${outcome.state}`)
      add(`${[state, status, code].join(' ')}${reason} of ${deadline} ms: ${steps.join(' ')}`)
    },
    part(aggregate) {
      const part = notedTimeline(`part ${aggregate.name}`)
      parts.push(part)
      return part
    },
  }
}
