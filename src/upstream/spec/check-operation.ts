import { z } from 'zod'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import { checkText } from '../../core/schema/check-text.ts'
import { isOpen } from '../../core/schema/depth.ts'
import { headerFields } from '../../core/schema/header-fields.ts'
import { textSchema } from '../../core/schema/text-schema.ts'
import { checkZod } from '../../core/schema/wrapped.ts'
import { checkQueryAuth } from './access-spec.ts'
import { cachePolicy } from './cache-policy.ts'
import type { AnyOperationOptions } from './options.ts'
import { operationRenames } from './renamed.ts'
import { safeMethods, type OperationSpec, type UpstreamSpec } from './spec.ts'
import { parseTemplate } from './template.ts'

const operationOptions: OptionKeys<AnyOperationOptions> = {
  method: true,
  path: true,
  params: true,
  query: true,
  body: true,
  output: true,
  responseType: true,
  accept: true,
  allowEmpty: true,
  nullOn: true,
  responseHeaders: true,
  coalesce: true,
  cache: true,
  idempotencyKey: true,
}

const idempotentMethods = new Set([...safeMethods, 'PUT', 'DELETE'])
const methods = new Set([...safeMethods, 'POST', 'PUT', 'PATCH', 'DELETE'])
const acceptDefaults = {
  json: ['application/json', 'application/*+json', 'text/json'],
  text: ['text/*'],
  bytes: ['*/*'],
} as const

/** Checks an operation's declaration and fills its defaults in. */
export function operationSpec(upstream: UpstreamSpec, key: string, options: AnyOperationOptions): OperationSpec {
  const name = `${upstream.name}.${key}`
  const {
    method = 'GET',
    path,
    params,
    query,
    body,
    output,
    responseType = 'json',
    accept = acceptDefaults[responseType],
    allowEmpty = false,
    nullOn = [],
    responseHeaders,
    coalesce = false,
    cache = false,
    idempotencyKey,
  } = options
  const safe = safeMethods.has(method)
  rejectUnknownOptions(name, options, operationOptions, { renamed: operationRenames })
  checkZod(name, { params, query, body, output, responseHeaders })

  if (!methods.has(method)) throw new TypeError(`${name}: '${method}' is not a method that can be called`)
  if (body !== undefined && safe) throw new TypeError(`${name}: a ${method} has no body: declare its input as query`)
  if (coalesce && !safe)
    throw new TypeError(
      `${name}: a ${method} changes something each time, so equal calls cannot share an answer: leave coalesce out`,
    )
  if (cache !== false && method !== 'GET' && method !== 'HEAD')
    throw new TypeError(`${name}: the answer to a ${method} cannot be kept: leave cache out`)
  if (idempotencyKey !== undefined && safe)
    throw new TypeError(`${name}: a ${method} is idempotent by itself: leave idempotencyKey out`)
  if (params instanceof z.ZodObject && query instanceof z.ZodObject) {
    const twice = Object.keys(params.shape).find(field => field in query.shape)
    if (twice !== undefined)
      throw new TypeError(`${name}: '${twice}' is in params and in query, and an input can give it once: rename one`)
  }
  checkQueryAuth(name, upstream.auth, query)
  const fields = responseHeaders && headerFields(`${name}, responseHeaders`, responseHeaders)
  if (fields?.spelled.has('set-cookie'))
    throw new TypeError(`${name}: cookies are no part of an answer: leave set-cookie out of responseHeaders`)
  checkText(`${name}, responseHeaders`, responseHeaders)
  for (const status of nullOn) {
    if (!Number.isInteger(status) || status < 400 || status > 499)
      throw new TypeError(`${name}: nullOn takes statuses from 400 to 499, not ${status}`)
  }
  return {
    upstream,
    name,
    method,
    safe,
    idempotent: idempotentMethods.has(method),
    template: parseTemplate(path, name),
    params,
    query,
    body,
    output,
    isOpen: isOpen(output),
    responseType,
    accept,
    allowEmpty,
    nullOn,
    responseHeaders: responseHeaders && textSchema(responseHeaders),
    headerFields: fields,
    coalesce: coalesce || cache !== false,
    cache: cachePolicy(name, cache),
    idempotencyKey,
  }
}
