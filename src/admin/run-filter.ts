import { Problem, type Fault } from '../errors.ts'
import type { RunFilter } from '../kept/run-source.ts'
import { readPosition } from '../kept/select-runs.ts'
import type { RunState } from '../waterfall/kept-run.ts'

const states: readonly RunState[] = ['complete', 'partial', 'failed', 'cancelled']
const names = ['state', 'aggregate', 'upstream', 'request', 'trace', 'worker', 'min', 'before', 'limit'] as const

type Name = (typeof names)[number]

const defaultLimit = 50
const largestLimit = 200

/**
 * Reads the filter of a list of kept runs from the query of its URL.
 *
 * @throws Problem `INPUT_INVALID` with every fault.
 */
export function readRunFilter(query: Readonly<Record<string, unknown>>): RunFilter {
  const faults: Fault[] = []
  const values = new Map<Name, string>()
  for (const [name, value] of Object.entries(query)) {
    const known = names.find(each => each === name)
    if (known === undefined) faults.push(fault(name, `is not a filter: use one of ${names.join(', ')}`))
    else if (typeof value !== 'string') faults.push(fault(name, 'must occur once'))
    else if (value !== '') values.set(known, value)
  }
  const whole = (name: Name, least: number, most: number): number | undefined => {
    const text = values.get(name)
    if (text === undefined) return undefined
    const number = Number(text)
    if (Number.isSafeInteger(number) && number >= least && number <= most) return number
    faults.push(fault(name, `must be a whole number from ${least} to ${most}`))
    return undefined
  }
  const chosen = values.get('state')?.split(',')
  if (chosen !== undefined && !chosen.every(isState))
    faults.push(fault('state', `must be one or several of ${states.join(', ')}, separated by commas`))
  const before = values.get('before')
  if (before !== undefined && readPosition(before) === undefined)
    faults.push(fault('before', "must be the value of 'next' of the list before"))
  const filter: RunFilter = {
    states: chosen as readonly RunState[] | undefined,
    aggregate: values.get('aggregate'),
    upstream: values.get('upstream'),
    request: values.get('request'),
    trace: values.get('trace'),
    worker: whole('worker', 1, 65_535),
    min: whole('min', 0, 2 ** 31 - 1),
    before,
    limit: whole('limit', 1, largestLimit) ?? defaultLimit,
  }
  if (faults.length > 0) throw new Problem('INPUT_INVALID', { faults })
  return filter
}

function isState(text: string): text is RunState {
  return states.some(state => state === text)
}

function fault(name: string, reason: string): Fault {
  return { pointer: `/query/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, reason }
}
