import { z } from 'zod'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import { checkBoolean, checkTextOption } from '../../core/option-values.ts'
import { checkWritten } from '../../core/schema/check-written.ts'
import { checkZod } from '../../core/schema/wrapped.ts'
import { checkQueryAuth } from './access-spec.ts'
import { cachePolicy } from './cache-policy.ts'
import { checkBody } from './check-body.ts'
import { checkCoalesce } from './check-coalesce.ts'
import { checkMethod } from './check-method.ts'
import { checkPathNames } from './check-path-names.ts'
import { checkResponse } from './check-response.ts'
import { checkResponses } from './check-responses.ts'
import { headerInput } from './header-input.ts'
import type { AnyOperationOptions } from './operation-options.ts'
import { keyBatchSpec } from './key-batch-spec.ts'
import { operationRenames } from './renamed.ts'
import type { OperationSpec, UpstreamSpec } from './spec.ts'
import { parseTemplate } from './template.ts'

const operationOptions: OptionKeys<AnyOperationOptions> = {
  method: true,
  path: true,
  params: true,
  query: true,
  body: true,
  headers: true,
  safe: true,
  bodyType: true,
  contentType: true,
  output: true,
  responses: true,
  responseType: true,
  accept: true,
  allowEmpty: true,
  nullOn: true,
  responseHeaders: true,
  coalesce: true,
  cache: true,
  idempotencyKey: true,
  keyBatch: true,
  batch: true,
}

/** Checks the declaration of an operation and adds its defaults. */
export function operationSpec(upstream: UpstreamSpec, key: string, options: AnyOperationOptions): OperationSpec {
  const name = `${upstream.name}.${key}`
  const {
    path,
    params,
    query,
    body,
    headers,
    output,
    responses,
    responseHeaders,
    cache = false,
    idempotencyKey,
    batch = false,
  } = options
  rejectUnknownOptions(name, options, operationOptions, { renamed: operationRenames })
  const coalescing = checkCoalesce(name, options)
  checkBoolean(name, 'batch', batch)
  checkTextOption(name, 'path', path, "'/facts/{id}'")
  if (output === undefined && responses === undefined)
    throw new TypeError(`${name}: output is missing: give the zod schema of the response, for example z.object({ … })`)
  checkZod(name, { params, query, body, headers, output, responseHeaders })
  const written = checkBody(name, options)
  const { method, safe, idempotent } = checkMethod(name, options)
  const template = parseTemplate(path, name)
  checkInput(name, options, upstream, template.names)
  const { auth } = upstream
  if (batch) checkBatch(name, options)
  const listed = checkResponses(name, options, auth !== undefined && 'oauth2' in auth)
  return {
    upstream,
    name,
    method,
    safe,
    idempotent,
    template,
    params,
    query,
    ...written,
    headers: headerInput(name, options, { method, safe }, upstream.auth),
    ...checkResponse(name, method, options, listed),
    ...coalescing,
    cache: cachePolicy(name, cache),
    idempotencyKey,
    keyBatch: keyBatchSpec(name, safe, options, listed),
    batch,
  }
}

/** Refuses an operation for batches whose input or answer is not JSON. */
function checkBatch(name: string, { bodyType, responseType }: AnyOperationOptions): void {
  if (bodyType === 'bytes' || bodyType === 'multipart')
    throw new TypeError(
      `${name}: batch: true needs an input in JSON, and bodyType '${bodyType}' has bytes: ` +
        'remove batch, or write an aggregate with batch: true that makes the body',
    )
  if (responseType === 'bytes')
    throw new TypeError(
      `${name}: batch: true needs an answer in JSON, and responseType 'bytes' has bytes: ` +
        'remove batch, or write an aggregate with batch: true that reads them',
    )
}

/** Checks the schemas of the input against the path, against each other and against what a request can carry. */
function checkInput(
  name: string,
  { params, query }: AnyOperationOptions,
  upstream: UpstreamSpec,
  pathNames: readonly string[],
): void {
  if (params instanceof z.ZodObject && query instanceof z.ZodObject) {
    const twice = Object.keys(params.shape).find(field => field in query.shape)
    if (twice !== undefined)
      throw new TypeError(`${name}: '${twice}' is in params and in query, and an input has each field once: rename one`)
  }
  checkQueryAuth(name, upstream.auth, query)
  checkPathNames(`${name}, params`, params, pathNames)
  checkWritten(`${name}, params`, 'path', params, pathNames)
  checkWritten(`${name}, query`, 'query', query)
}
