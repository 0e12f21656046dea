import { bounded, longestStack } from '../../log/bounded.ts'
import { cut } from '../../log/cut.ts'

/** The largest length of a message or a stack that is searched, in characters. The serializers write less of it. */
const longestText = 4 * longestStack
/** The largest number of errors in a chain of causes that are copied. */
const mostCauses = 5
/** The largest number of own fields, and of errors of an `AggregateError`, that are copied. */
const widest = 100

type MapText = (text: string) => string

/**
 * Returns a copy of a thrown value for the log, with each of its texts mapped, or the value itself if no text changes.
 * The copy of an error is an error of the same class, so that each serializer writes it as the error itself. It never
 * throws.
 */
export function cleanError(error: unknown, map: MapText): unknown {
  let isChanged = false
  const mapAndCompare: MapText = text => {
    const mapped = map(text)
    if (mapped !== text) isChanged = true
    return mapped
  }
  try {
    const copy = copyOf(error, mapAndCompare, mostCauses)
    return isChanged ? copy : error
  } catch {
    return new Error('an error whose fields cannot be read')
  }
}

function copyOf(value: unknown, map: MapText, causes: number): unknown {
  if (!(value instanceof Error)) return mapTexts(bounded(value), map)
  if (causes === 0) return undefined
  const copy = Object.create(Object.getPrototypeOf(value) as object) as object
  for (const name of Object.getOwnPropertyNames(value).slice(0, widest)) {
    Object.defineProperty(copy, name, {
      value: fieldOf(value, name, map, causes),
      enumerable: Object.prototype.propertyIsEnumerable.call(value, name),
      configurable: true,
      writable: true,
    })
  }
  return copy
}

function fieldOf(error: Error, name: string, map: MapText, causes: number): unknown {
  try {
    const field: unknown = error[name as keyof Error]
    if (typeof field === 'string') return map(cut(field, longestText))
    if (name !== 'errors' || !Array.isArray(field)) return copyOf(field, map, causes - 1)
    return field.slice(0, widest).map(each => copyOf(each, map, causes - 1))
  } catch {
    return '[unreadable]'
  }
}

/** Returns a copy of a bounded value, with each text mapped. */
function mapTexts(value: unknown, map: MapText): unknown {
  if (typeof value === 'string') return map(value)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (Array.isArray(value)) return value.map(each => mapTexts(each, map))
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapTexts(each, map)]))
}
