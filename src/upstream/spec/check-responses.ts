import type { z } from 'zod'
import { checkObject } from '../../core/option-values.ts'
import { checkZod } from '../../core/schema/wrapped.ts'
import type { AnyOperationOptions } from './operation-options.ts'

/** A status that an operation lists in `responses`. */
export interface ListedStatus {
  /** The schema of the body. */
  readonly schema: z.ZodType
  /**
   * True if an attempt with this status fails, so that retries, hedges and the breaker work as without `responses`. The
   * call gets the answer of its last attempt.
   */
  readonly isFailure: boolean
}

/** The statuses that an operation lists in `responses`. */
export type ListedStatuses = ReadonlyMap<number, ListedStatus>

/** The options that also say what a status means. */
const excluded = ['output', 'nullOn', 'allowEmpty'] as const

const example = '{ 200: z.object({ … }), 404: z.null() }'

/** The statuses that cannot be listed, with the reason. */
const unlisted: Readonly<Record<string, string>> = {
  206: 'calls ask for no range of a body',
  304: 'only the cache sends conditional requests',
}

/**
 * Checks the option `responses` of an operation.
 *
 * @param renewsTokens True if a call with a refused token (401) is sent once more with a new one.
 * @returns The listed statuses; `undefined` without the option.
 */
export function checkResponses(
  name: string,
  options: AnyOperationOptions,
  renewsTokens: boolean,
): ListedStatuses | undefined {
  const { responses } = options
  if (responses === undefined) return undefined
  checkObject(name, 'responses', responses, example)
  const other = excluded.find(option => options[option] !== undefined)
  if (other !== undefined)
    throw new TypeError(`${name}: responses says what each status means: remove ${other}, or remove responses`)
  const entries = Object.entries(responses)
  if (entries.length === 0)
    throw new TypeError(`${name}: responses is empty, so no response is accepted: write for example ${example}`)
  return new Map(entries.map(([key, schema]) => [checkStatus(name, key, schema), listed(Number(key), schema)]))

  function listed(status: number, schema: z.ZodType): ListedStatus {
    return { schema, isFailure: staysFailure(status) || (status === 401 && renewsTokens) }
  }
}

/** Refuses a status that no call can be answered with, and a status without a schema. */
function checkStatus(name: string, key: string, schema: z.ZodType | undefined): number {
  const status = Number(key)
  if (!Number.isInteger(status) || status < 200 || status > 599 || String(status) !== key)
    throw new TypeError(`${name}: responses must contain only statuses from 200 to 599, got '${key}'`)
  const reason = unlisted[key]
  if (reason !== undefined) throw new TypeError(`${name}: responses has ${key}, but ${reason}: remove ${key}`)
  if (schema === undefined || schema === null)
    throw new TypeError(`${name}: responses has no schema for ${key}: write z.null() for a status without a body`)
  checkZod(name, { [`responses[${key}]`]: schema })
  return status
}

/** Returns whether a status says that the upstream did not handle the call: another attempt may succeed. */
function staysFailure(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429
}
