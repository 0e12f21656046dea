import type { Faults } from './faults.ts'
import { writePointer } from './json-pointer.ts'
import type { BatchOffer, Offered } from './offer.ts'
import { findReferences, type BrokenReference, type Reference } from './reference.ts'

/** The fields of one call, checked alone. A field that is refused is undefined, or empty. */
export interface CallFields {
  /** The pointer to the call. */
  readonly at: string
  readonly id: string | undefined
  readonly offered: Offered | undefined
  readonly input: unknown
  readonly references: readonly Reference[]
  /** The objects with a field `$ref`: the references, and those that are refused. */
  readonly unknowns: ReadonlySet<object>
  /** The ids that the field `needs` has. */
  readonly needs: readonly string[]
  readonly isOptional: boolean
}

type Fields = Readonly<Record<string, unknown>>

const known = new Set(['id', 'operation', 'input', 'needs', 'optional'])
const unknownField = `is not a field of a call: it has ${[...known].join(', ')}`
const mostIdCharacters = 64

/**
 * Reads the fields of a call and adds their faults. A field that is refused does not hide the faults of the others.
 *
 * @param mostReferences The number of references after which no more are read.
 */
export function readCall(
  call: unknown,
  at: string,
  offer: BatchOffer,
  isReadOnly: boolean,
  mostReferences: number,
  faults: Faults,
): CallFields {
  // A path may have long names, so a fault that is not reported is not written.
  const fault = (path: readonly string[], reason: string) => {
    if (!faults.isFull) faults.add({ pointer: at + writePointer(path), reason })
  }
  const isObject = typeof call === 'object' && call !== null && !Array.isArray(call)
  if (!isObject) fault([], 'must be an object with id, operation and input')
  const fields = (isObject ? call : {}) as Fields
  for (const name of Object.keys(fields)) {
    if (faults.isFull) break
    if (!known.has(name)) fault([name], unknownField)
  }
  const own = (name: string) => (Object.hasOwn(fields, name) ? fields[name] : undefined)

  const id = own('id')
  const isId = typeof id === 'string' && isCallId(id)
  if (isObject && !isId)
    fault(['id'], `must be a text of 1 to ${mostIdCharacters} letters, digits, - and _ that names the call`)
  const needs = own('needs')
  const isList = Array.isArray(needs) && needs.every(need => typeof need === 'string')
  if (needs !== undefined && !isList) fault(['needs'], 'must be a list of ids of other calls')
  const optional = own('optional')
  if (optional !== undefined && typeof optional !== 'boolean') fault(['optional'], 'must be true or false')

  const references: Reference[] = []
  const broken: BrokenReference[] = []
  findReferences(own('input'), references, broken, mostReferences)
  for (const { path, reason } of broken) fault(['input', ...path], reason)
  return {
    at,
    id: isId ? id : undefined,
    offered: isObject
      ? readOperation(own('operation'), offer, isReadOnly, reason => fault(['operation'], reason))
      : undefined,
    input: own('input'),
    references,
    unknowns: new Set([...references, ...broken].map(({ object }) => object)),
    needs: isList ? needs : [],
    isOptional: optional === true,
  }
}

/** Returns the operation that a call names, or undefined with a fault. */
function readOperation(
  name: unknown,
  offer: BatchOffer,
  isReadOnly: boolean,
  fault: (reason: string) => void,
): Offered | undefined {
  const offered = typeof name === 'string' ? offer.get(name) : undefined
  if (offered === undefined) fault('must be the name of an operation or an aggregate that batches may call')
  else if (isReadOnly && !isReading(offered))
    fault('may change something, and a QUERY only reads: send the batch by POST')
  return offered
}

function isReading({ aggregate, spec }: Offered): boolean {
  return aggregate === undefined ? spec.safe : aggregate.route.method === 'GET'
}

/** Returns whether a text is an id: 1 to 64 letters, digits, `-` and `_`. */
function isCallId(text: string): boolean {
  if (text.length === 0 || text.length > mostIdCharacters) return false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const isLetter = (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)
    if (!isLetter && !(code >= 0x30 && code <= 0x39) && code !== 0x2d && code !== 0x5f) return false
  }
  return true
}
