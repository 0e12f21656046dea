import type { InboundHeaders } from '../upstream/call/inbound.ts'
import type { BatchCall, Need, Prepared } from './batch-call.ts'
import { readCall, type CallFields } from './call-fields.ts'
import { inputFaults } from './check-input.ts'
import { mostIssues, type IssueBudget } from './literal-faults.ts'
import type { Faults } from './faults.ts'
import { referenceFaults } from './check-reference.ts'
import { writePointer } from './json-pointer.ts'
import { cyclesOf } from './needs.ts'
import type { BatchOffer, Offered } from './offer.ts'
import { prepare } from './prepare.ts'

/** The limits on the calls, and what the checks of their inputs need. */
interface CallsOptions {
  readonly maxCalls: number
  readonly isReadOnly?: boolean | undefined
  readonly headers: InboundHeaders
}

/** The number of references that a batch may have, per call that it may have. Each takes about 20 µs to check. */
const referencesPerCall = 10

/**
 * Reads the list of calls, and adds the faults of all of them, until no more are reported. The result has no use if
 * there are faults.
 */
export function readCalls(
  offer: BatchOffer,
  calls: readonly unknown[],
  { headers, isReadOnly = false, maxCalls }: CallsOptions,
  faults: Faults,
): BatchCall[] {
  const read: CallFields[] = []
  const most = referencesPerCall * maxCalls
  let references = 0
  for (const [index, call] of calls.entries()) {
    if (faults.isFull) return []
    const fields = readCall(call, `/body/calls/${index}`, offer, isReadOnly, most + 1 - references, faults)
    references += fields.unknowns.size
    if (references > most) {
      faults.add({
        pointer: '/body/calls',
        reason: `has more than ${most} references, which is the most of one batch`,
      })
      return []
    }
    read.push(fields)
  }
  const indexes = indexesOf(read, faults)
  const needs = read.map(call => needsOf(call, indexes, read, faults))
  for (const cycle of cyclesOf(needs.map(own => own.map(({ index }) => index)))) {
    const [first = 0] = cycle
    const path = [...cycle, first].map(index => (read[index] as CallFields).id).join(' → ')
    faults.add({ pointer: `/body/calls/${first}`, reason: `needs itself: ${path}` })
  }
  const dependents = read.map((): number[] => [])
  for (const [index, own] of needs.entries()) for (const need of own) (dependents[need.index] as number[]).push(index)
  const producerOf = (id: string) => read[indexes.get(id) ?? -1]?.offered
  const budget: IssueBudget = { issues: mostIssues }
  return read.flatMap((call, index) => {
    const { id = '', offered, input } = call
    if (offered === undefined || faults.isFull) return []
    const prepared = checkedInput({ ...call, offered }, producerOf, headers, budget, faults)
    const ofGraph = { needs: needs[index] as readonly Need[], dependents: dependents[index] as readonly number[] }
    return [{ index, id, offered, input, references: call.references, prepared, ...ofGraph }]
  })
}

/** Returns the indexes of the calls by their ids. Adds a fault for an id that occurs again. */
function indexesOf(calls: readonly CallFields[], faults: Faults): ReadonlyMap<string, number> {
  const indexes = new Map<string, number>()
  for (const [index, { id, at }] of calls.entries()) {
    if (id === undefined) continue
    const first = indexes.get(id)
    if (first === undefined) indexes.set(id, index)
    else faults.add({ pointer: `${at}/id`, reason: `is also the id of call ${first}: give each call an id of its own` })
  }
  return indexes
}

/** Checks the input of a call and its references. Returns the request if the input has no references. */
function checkedInput(
  { at, input, references, unknowns, offered }: CallFields & { readonly offered: Offered },
  producerOf: (id: string) => Offered | undefined,
  headers: InboundHeaders,
  budget: IssueBudget,
  faults: Faults,
): Prepared | undefined {
  const pointer = `${at}/input`
  const before = faults.count
  faults.add(...inputFaults(offered, input, pointer, unknowns, budget))
  for (const reference of references) {
    if (faults.isFull) break
    const producer = producerOf(reference.id)
    if (producer !== undefined) faults.add(...referenceFaults(reference, producer, offered, pointer))
  }
  if (faults.count > before || unknowns.size > 0) return undefined
  try {
    const made = prepare(offered, input, headers, pointer)
    if ('offered' in made) return made
    faults.add(...made)
  } catch {
    // A function of the author has failed. The call fails when it is made again, and the others are not affected.
  }
  return undefined
}

/** Returns the needs of a call: those that it names, and the calls to which it refers. */
function needsOf(
  { at, needs, references }: CallFields,
  indexes: ReadonlyMap<string, number>,
  calls: readonly CallFields[],
  faults: Faults,
): Need[] {
  const found = new Map<number, Need>()
  for (const [place, id] of needs.entries()) {
    if (faults.isFull) break
    const index = indexes.get(id)
    if (index === undefined)
      faults.add({ pointer: `${at}/needs/${place}`, reason: 'is not the id of a call of this batch' })
    else found.set(index, { index, isOrderOnly: (calls[index] as CallFields).isOptional })
  }
  for (const { id, path } of references) {
    if (faults.isFull) break
    const index = indexes.get(id)
    if (index === undefined)
      faults.add({
        pointer: `${at}/input${writePointer(path)}`,
        reason: 'refers to an id that no call of this batch has',
      })
    else found.set(index, { index, isOrderOnly: false })
  }
  return [...found.values()]
}
