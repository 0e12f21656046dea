import { excessOf } from '../../core/json/excess.ts'
import { isTooDeep, maxDepth } from '../../core/schema/depth.ts'
import { UpstreamError } from '../../errors.ts'
import type { OperationSpec } from '../spec/spec.ts'

export function parseJson(spec: OperationSpec, status: number, text: string): unknown {
  const { maxJsonValues } = spec.upstream
  const excess = excessOf(text, maxJsonValues)
  if (excess === 'depth') throw tooDeep(spec, status)
  if (excess === 'values') {
    throw new UpstreamError('UPSTREAM_TOO_LARGE', spec.upstream.name, {
      upstreamStatus: status,
      detail: `the limit is ${maxJsonValues} values`,
    })
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    // The parser's message quotes the body, so it is not part of the error.
    throw new UpstreamError('UPSTREAM_JSON', spec.upstream.name, {
      upstreamStatus: status,
      cause: (cause as Error).name,
    })
  }
}

export function checkKeys(spec: OperationSpec, upstreamStatus: number, value: unknown, text: string): void {
  if (mayHavePrototypeKey(text) && hasPrototypeKey(value))
    throw new UpstreamError('UPSTREAM_JSON', spec.upstream.name, {
      upstreamStatus,
      detail: 'it contains a key that could change a prototype',
    })
}

export function checkDepth(spec: OperationSpec, status: number, value: unknown): void {
  if (spec.isOpen && isTooDeep(value)) throw tooDeep(spec, status)
}

function tooDeep(spec: OperationSpec, upstreamStatus: number): UpstreamError {
  return new UpstreamError('UPSTREAM_SCHEMA', spec.upstream.name, {
    upstreamStatus,
    detail: `it is nested deeper than ${maxDepth}`,
  })
}

/** Returns whether a text could contain a key `__proto__` or `prototype`, also with escapes. This is rare. */
function mayHavePrototypeKey(text: string): boolean {
  return text.includes('__proto__') || text.includes('prototype"') || text.includes('\\u00')
}

/**
 * Returns whether a merge that copies key by key could reach a prototype: through `__proto__`, or through a
 * `constructor` with a `prototype`. It does not recurse, because the upstream chooses the depth of a body.
 */
function hasPrototypeKey(value: unknown): boolean {
  const open = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next !== 'object' || next === null) continue
    if (Object.hasOwn(next, '__proto__') || hasPrototype(next)) return true
    // `Object.values` of an object with very many fields takes three times as long.
    if (Array.isArray(next)) for (const item of next) open.push(item)
    else for (const key in next) open.push((next as Readonly<Record<string, unknown>>)[key])
  }
  return false
}

function hasPrototype(value: object): boolean {
  if (!Object.hasOwn(value, 'constructor')) return false
  const { constructor } = value as { readonly constructor: unknown }
  return typeof constructor === 'object' && constructor !== null && Object.hasOwn(constructor, 'prototype')
}
