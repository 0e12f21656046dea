import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

export interface Media {
  readonly schema: object
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value?: unknown; readonly serializedValue?: string }>>
  /** The schema of one item of a stream, in OpenAPI 3.2. */
  readonly itemSchema?: object
}

export interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema: object
  readonly example?: unknown
}

export interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, unknown>>
  readonly content?: Readonly<Record<string, Media>>
}

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, Media>> }
  readonly responses: Readonly<Record<string, Response>>
}

/** An OpenAPI document, as far as the tests look into it. */
export interface Document {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>
}

export const root = join(import.meta.dirname, '../../..')

export const committedYaml = (): string => readFileSync(join(root, 'openapi.yaml'), 'utf8')

export const committed = (): Document => parse(committedYaml()) as Document

/** What a reference points at; anything else stands for itself. */
export function resolved<T>(document: Document, part: T): T {
  const { $ref } = part as { readonly $ref?: string }
  if ($ref === undefined) return part
  const found = $ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document)
  if (!$ref.startsWith('#/') || found === undefined) throw new Error(`${$ref} points at nothing`)
  return found as T
}

/** Every operation with its method and path. */
export function operations(document: Document) {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
}

/** What is wrong with a value by a schema of the document; nothing when it fits. */
export function faultsOf(document: Document, schema: object, value: unknown): string | undefined {
  const text = JSON.stringify({ ...schema, $defs: document.components['schemas'] }).replaceAll(
    '#/components/schemas/',
    '#/$defs/',
  )
  const { success, error } = z
    .fromJSONSchema(JSON.parse(text) as Parameters<typeof z.fromJSONSchema>[0])
    .safeParse(value)
  return success ? undefined : z.prettifyError(error)
}

/** The response that the document has for a status. */
export function responseOf(document: Document, { responses }: Operation, status: number): Response {
  const found = responses[status] ?? responses[`${Math.floor(status / 100)}XX`]
  if (found === undefined) throw new Error(`the document has no response of status ${status}`)
  return resolved(document, found)
}
