import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'

type Of<Type extends RunEvent['type']> = Extract<RunEvent, { readonly type: Type }>

/**
 * Names each rule of docs/events.md that the events of one run break. `isShared` tells whether an operation has
 * `coalesce` or a cache, so that its calls share attempts.
 */
export function brokenRules(
  aggregate: AnyAggregate,
  events: readonly RunEvent[],
  isShared: (operation: string) => boolean,
): string[] {
  const broken: string[] = []
  const hold = (isHeld: boolean, rule: string) => {
    if (!isHeld) broken.push(rule)
  }
  const ofType = <Type extends RunEvent['type']>(type: Type) =>
    events.filter((event): event is Of<Type> => event.type === type)
  const at = (event: RunEvent | undefined) => (event === undefined ? -1 : events.indexOf(event))

  hold(events[0]?.type === 'run started' && events[0].at === 0, 'the first event is `run started`, at 0')
  hold(events.at(-1)?.type === 'run ended', 'the last event is `run ended`')
  hold(ofType('run started').length === 1 && ofType('run ended').length === 1, 'a run starts once and ends once')
  hold(
    events.every((event, index) => event.at >= (events[index - 1]?.at ?? 0)),
    '`at` never decreases',
  )
  hold(
    events.every(({ run }) => run === events[0]?.run),
    'all events have the same `run`',
  )
  for (const event of events)
    if ('step' in event)
      hold(
        event.stepName === (event.step < 0 ? 'context' : aggregate.steps[event.step]?.name),
        '`stepName` is the name of the step',
      )

  for (let step = -1; step < aggregate.steps.length; step++) {
    const own = events.filter(event => 'step' in event && event.step === step)
    if (own.length === 0) continue
    const starts = own.filter(({ type }) => type === 'step started')
    const ends = own.filter(({ type }) => type === 'step ended')
    hold(starts.length === 1 && own[0] === starts[0], 'a step starts once, before all other events of the step')
    hold(ends.length === 1, 'a step that starts ends once')
    for (const need of aggregate.steps[step]?.needs ?? []) {
      const needed = ofType('step ended').find(event => event.step === need)
      hold(needed !== undefined && at(needed) < at(starts[0]), 'a step starts after the steps that it needs')
    }
  }

  const calls = Map.groupBy(
    events.filter(event => 'call' in event),
    ({ step, call }) => `${step}.${call}`,
  )
  for (const own of calls.values()) {
    hold(new Set(own.map(({ operation }) => operation)).size === 1, 'a call has one operation')
    const ends = own.filter(event => event.type === 'call ended')
    hold(ends.length <= 1, 'a call ends at most once')
    const [end] = ends
    const shared = isShared(own[0]?.operation ?? '')
    const started = own.filter(event => event.type === 'attempt started')
    hold(
      started.every(({ attempt }, index) => attempt === index + 1),
      'attempts have the numbers 1, 2, … in the order of their starts',
    )
    for (const ended of own.filter(event => event.type === 'attempt ended')) {
      const start = started.find(({ attempt }) => attempt === ended.attempt)
      hold(start !== undefined && at(start) < at(ended), 'an attempt starts before it ends')
      hold(
        own.filter(event => event.type === 'attempt ended' && event.attempt === ended.attempt).length === 1,
        'an attempt ends at most once',
      )
    }
    if (end === undefined) continue
    if (!shared) hold(end.attempts === started.length, 'a call has as many `attempts` as were started')
    const later = own.slice(own.indexOf(end) + 1)
    for (const { type } of later) if (!shared) hold(false, `no \`${type}\` of a call after its end`)
  }
  for (const ended of ofType('step ended')) {
    const { kind } = aggregate.steps[ended.step] ?? {}
    if (kind === undefined || kind === 'firstOf' || (ended.state !== 'ok' && ended.state !== 'stale')) continue
    for (const own of calls.values())
      if (own[0]?.step === ended.step)
        hold(
          own.some(event => event.type === 'call ended' && at(event) < at(ended)),
          'each call of a step that ends as `ok` or `stale` ends before its step, unless the step is a `firstOf`',
        )
  }
  return [...new Set(broken)]
}
