import { z } from 'zod'
import { readJsonText } from '../../core/json-text.ts'

/** The `info` of an OpenAPI document: its title, its version and its publisher. */
export interface OpenapiInfo {
  /** The name of the API. @default 'Aggregates' */
  readonly title?: string
  /** The version of the API. @default '0.0.0' */
  readonly version?: string
  /** One line about the API. @default none */
  readonly summary?: string
  /** The text about the API, in CommonMark. @default how replies and failures are read */
  readonly description?: string
  /** The URL of the terms of service. @default none */
  readonly termsOfService?: string
  /** The name, the URL and the address of a contact. @default none */
  readonly contact?: {
    readonly name?: string
    readonly url?: string
    readonly email?: string
  }
  /**
   * The licence of the API. It has `identifier`, an SPDX expression such as `MIT`, or `url`, but not both.
   * @default none
   */
  readonly license?: {
    readonly name: string
    readonly identifier?: string
    readonly url?: string
  }
}

/** The title of an API without one. */
export const defaultTitle = 'Aggregates'

const text = z.string('must be a string').refine(value => value.trim() !== '', 'must not be empty')
const url = z.url('must be a URL')

const contact = { name: text.optional(), url: url.optional(), email: z.email('must be an email address').optional() }
const license = { name: text, identifier: text.optional(), url: url.optional() }
const fields = {
  title: text.optional(),
  version: text.optional(),
  summary: text.optional(),
  description: text.optional(),
  termsOfService: url.optional(),
  contact: z.strictObject(contact).optional(),
  license: z
    .strictObject(license)
    .refine(
      ({ identifier, url: link }) => identifier === undefined || link === undefined,
      'must have identifier or url, not both',
    )
    .optional(),
}

/** Checks the `info` of a document. Throws a `TypeError` that names the owner and every fault. */
export function checkInfo(owner: string, info: unknown): OpenapiInfo {
  const { success, data, error } = z.strictObject(fields).safeParse(info)
  if (success) return data as OpenapiInfo
  throw new TypeError(`${owner}: ${error.issues.map(reasonOf).join('; ')}`)
}

function reasonOf(issue: z.core.$ZodIssue): string {
  const where = ['info', ...issue.path].join('.')
  if (issue.code !== 'unrecognized_keys') return `${where} ${reasonText(issue)}`
  const known = Object.keys(issue.path[0] === 'contact' ? contact : issue.path[0] === 'license' ? license : fields)
  return `${where} has no field ${issue.keys.map(key => `'${key}'`).join(', ')}: use ${known.join(', ')}`
}

function reasonText(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.expected === 'object') return 'must be an object'
  return issue.path.at(-1) === 'name' && issue.input === undefined && issue.message === 'must be a string'
    ? 'is missing'
    : issue.message
}

/**
 * Reads the `info` of a document from a text: JSON, or `@` and the path of a JSON file. An empty text returns an empty
 * `info`. Throws a `TypeError` that names the owner.
 */
export function readInfo(owner: string, given: string): OpenapiInfo {
  if (given.trim() === '') return {}
  return checkInfo(owner, readJsonText(owner, given))
}
