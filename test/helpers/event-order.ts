import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import type { RunEvent } from '../../src/fanout/events.ts'

/** The rules of docs/events.md, which has them in the same words. */
export const rules = {
  first: 'The first event is `run started`, with `at: 0`. It occurs once.',
  last: 'The last event is `run ended`. It occurs once.',
  time: '`at` never decreases.',
  run: 'All events of a run have the same `run` object.',
  step: 'A step starts once, before all other events of the step, and ends once.',
  needs: 'A step starts after the steps that it needs have ended.',
  call: 'A call ends at most once.',
  attempts: 'The attempts of a call have the numbers 1, 2 and so on, in the order of their starts.',
  attempt: 'An attempt ends at most once, after its start.',
  count: 'The field `attempts` of `call ended` is the number of attempts of the call that have started.¹',
  after: 'A call has no event after `call ended`.¹',
  within: 'If a step ends as `ok` or `stale`, its calls have ended before it.²',
} as const

type Rule = keyof typeof rules
type Of<Type extends RunEvent['type']> = Extract<RunEvent, { readonly type: Type }>

/**
 * Returns each rule that the events of one run break.
 *
 * @param isShared - Whether calls of an operation may share attempts: it has `coalesce` or a cache.
 */
export function brokenRules(
  aggregate: AnyAggregate,
  events: readonly RunEvent[],
  isShared: (operation: string) => boolean = () => false,
): string[] {
  const broken = new Set<Rule>()
  const hold = (rule: Rule, isHeld: boolean) => {
    if (!isHeld) broken.add(rule)
  }
  const ofType = <Type extends RunEvent['type']>(type: Type) =>
    events.filter((event): event is Of<Type> => event.type === type)
  const indexOf = (event: RunEvent | undefined) => (event === undefined ? -1 : events.indexOf(event))

  hold('first', events[0]?.type === 'run started' && events[0].at === 0 && ofType('run started').length === 1)
  hold('last', events.at(-1)?.type === 'run ended' && ofType('run ended').length === 1)
  hold(
    'time',
    events.every(({ at }, index) => at >= (events[index - 1]?.at ?? 0)),
  )
  hold(
    'run',
    events.every(({ run }) => run === events[0]?.run),
  )

  for (const [step, own] of Map.groupBy(
    events.filter(event => 'step' in event),
    event => event.step,
  )) {
    const ends = own.filter(({ type }) => type === 'step ended')
    hold('step', own.findLastIndex(({ type }) => type === 'step started') === 0 && ends.length === 1)
    for (const need of aggregate.steps[step]?.needs ?? []) {
      const needed = ofType('step ended').find(event => event.step === need)
      hold('needs', needed !== undefined && indexOf(needed) < indexOf(own[0]))
    }
  }

  const calls = [
    ...Map.groupBy(
      events.filter(event => 'call' in event),
      ({ step, call }) => `${step}.${call}`,
    ).values(),
  ]
  for (const own of calls) {
    const shares = isShared(own[0]?.operation ?? '')
    const started = own.filter(event => event.type === 'attempt started')
    const ended = own.filter(event => event.type === 'attempt ended')
    hold(
      'attempts',
      started.every(({ attempt }, index) => attempt === index + 1),
    )
    hold('attempt', new Set(ended.map(({ attempt }) => attempt)).size === ended.length)
    for (const end of ended) {
      const start = started.find(({ attempt }) => attempt === end.attempt)
      hold('attempt', start !== undefined && indexOf(start) < indexOf(end))
    }
    const ends = own.filter(event => event.type === 'call ended')
    hold('call', ends.length <= 1)
    const [end] = ends
    if (end === undefined || shares) continue
    hold('count', end.attempts === started.length)
    hold('after', own.at(-1) === end)
  }
  for (const ended of ofType('step ended')) {
    const { kind } = aggregate.steps[ended.step] ?? {}
    if (
      kind === undefined ||
      kind === 'firstOf' ||
      kind === 'pages' ||
      (ended.state !== 'ok' && ended.state !== 'stale')
    )
      continue
    for (const own of calls) {
      if (own[0]?.step !== ended.step) continue
      hold(
        'within',
        own.some(event => event.type === 'call ended' && indexOf(event) < indexOf(ended)),
      )
    }
  }
  return [...broken].map(rule => rules[rule])
}
