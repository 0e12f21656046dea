import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { Step } from '../../fanout/step.ts'
import { exampleOf, replyExample } from './example.ts'
import { exampleRun, type ExampleEvent } from './stream-content.ts'

/** Returns the events of a stream of an aggregate; none if the schema of its reply has no example. */
export function streamExample(aggregate: AnyAggregate, level: SourcesLevel): readonly ExampleEvent[] {
  const { schema, route, steps, statuses, snapshot } = aggregate
  const data = exampleOf(schema)
  if (data === undefined) return []
  const { sources = {} } = replyExample({ ...aggregate, route: { ...route, envelope: true } }, level) as {
    readonly sources?: Readonly<Record<string, object>>
  }
  const pending = steps.slice(-1).map(({ name }) => name)
  const [first] = statuses
  return [
    { event: 'plan', run: exampleRun, deadline: route.deadline, ...plannedSteps(steps, level) },
    ...Object.entries(sources).map(([name, outcome]) => ({ event: 'source', name, outcome })),
    ...(snapshot === false ? [] : [{ event: 'snapshot', data, complete: false, ...(level !== 'none' && { pending }) }]),
    {
      event: 'reply',
      status: first,
      headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
      body: first === 204 ? null : replyExample(aggregate, level),
    },
  ]
}

function plannedSteps(steps: readonly Step[], level: SourcesLevel): object {
  if (level === 'none') return {}
  if (level === 'states') return { steps: steps.map(({ name }) => ({ name })) }
  return {
    steps: steps.map(({ name, kind, needs }) => ({ name, kind, needs: needs.map(at => (steps[at] as Step).name) })),
  }
}
