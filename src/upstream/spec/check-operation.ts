import { z } from 'zod'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import { checkBoolean, checkFunction, checkTextList, checkTextOption } from '../../core/option-values.ts'
import { checkText } from '../../core/schema/check-text.ts'
import { checkWritten } from '../../core/schema/check-written.ts'
import { isOpen } from '../../core/schema/depth.ts'
import { headerFields } from '../../core/schema/header-fields.ts'
import { textSchema } from '../../core/schema/text-schema.ts'
import { checkZod } from '../../core/schema/wrapped.ts'
import { checkQueryAuth } from './access-spec.ts'
import { cachePolicy } from './cache-policy.ts'
import { checkPathNames } from './check-path-names.ts'
import type { AnyOperationOptions, ResponseType } from './options.ts'
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
const responseTypes: ReadonlySet<unknown> = new Set(['json', 'text', 'bytes'] satisfies ResponseType[])

/** Checks the declaration of an operation and adds its defaults. */
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
  checkBoolean(name, 'allowEmpty', allowEmpty)
  checkBoolean(name, 'coalesce', coalesce)
  if (idempotencyKey !== undefined) checkFunction(name, 'idempotencyKey', idempotencyKey, '({ body }) => body.id')
  checkTextOption(name, 'method', method, "'GET'")
  checkTextOption(name, 'responseType', responseType, "'json'")
  if (!responseTypes.has(responseType))
    throw new TypeError(`${name}: responseType must be 'json', 'text' or 'bytes', got '${responseType as string}'`)
  checkTextOption(name, 'path', path, "'/facts/{id}'")
  if (output === undefined)
    throw new TypeError(`${name}: output is missing: give the zod schema of the response, for example z.object({ … })`)
  checkZod(name, { params, query, body, output, responseHeaders })

  if (!methods.has(method))
    throw new TypeError(`${name}: method must be one of ${[...methods].join(', ')}, got '${method}'`)
  if (body !== undefined && safe) throw new TypeError(`${name}: a ${method} has no body: declare its input as query`)
  if (method === 'HEAD' && responseType === 'json' && !allowEmpty)
    throw new TypeError(`${name}: the response to HEAD has no body, so it cannot be JSON: set allowEmpty: true`)
  if (coalesce && !safe)
    throw new TypeError(
      `${name}: a ${method} has an effect each time, so equal calls cannot share a response: remove coalesce`,
    )
  if (cache !== false && method !== 'GET' && method !== 'HEAD')
    throw new TypeError(`${name}: the response to a ${method} cannot be cached: remove cache`)
  if (idempotencyKey !== undefined && safe)
    throw new TypeError(`${name}: a ${method} is always idempotent: remove idempotencyKey`)
  if (params instanceof z.ZodObject && query instanceof z.ZodObject) {
    const twice = Object.keys(params.shape).find(field => field in query.shape)
    if (twice !== undefined)
      throw new TypeError(`${name}: '${twice}' is in params and in query, and an input has each field once: rename one`)
  }
  checkQueryAuth(name, upstream.auth, query)
  const fields = responseHeaders && headerFields(`${name}, responseHeaders`, responseHeaders)
  if (fields?.spelled.has('set-cookie'))
    throw new TypeError(`${name}: cookies are not part of a response value: remove set-cookie from responseHeaders`)
  checkText(`${name}, responseHeaders`, responseHeaders)
  const template = parseTemplate(path, name)
  checkPathNames(`${name}, params`, params, template.names)
  checkWritten(`${name}, params`, 'path', params, template.names)
  checkWritten(`${name}, query`, 'query', query)
  checkWritten(`${name}, body`, 'body', body)
  checkAccept(name, accept)
  if (!Array.isArray(nullOn))
    throw new TypeError(`${name}: nullOn must be a list of statuses from 400 to 499, for example [404]`)
  for (const status of nullOn as readonly number[]) {
    if (!Number.isInteger(status) || status < 400 || status > 499)
      throw new TypeError(`${name}: nullOn must contain only statuses from 400 to 499, got ${status}`)
  }
  return {
    upstream,
    name,
    method,
    safe,
    idempotent: idempotentMethods.has(method),
    template,
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

const mediaRange = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Refuses a list of media types that accepts no answer. */
function checkAccept(owner: string, accept: readonly string[]): void {
  checkTextList(owner, 'accept', accept, "['text/csv']")
  if (accept.length === 0)
    throw new TypeError(`${owner}: accept is empty, so no response is accepted: remove it, or name a media type`)
  for (const range of accept) {
    if (!mediaRange.test(range))
      throw new TypeError(
        `${owner}: accept has '${range}', which is not a media type: write type/subtype without parameters, ` +
          `for example 'application/xml' or 'text/*'`,
      )
  }
}
