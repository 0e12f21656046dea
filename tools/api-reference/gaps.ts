import { errors } from '../../src/errors.ts'

/** The fields of a name in TypeDoc's JSON that this module reads. */
export interface Reflection {
  readonly name: string
  readonly kind: number
  readonly flags?: { readonly isOptional?: boolean }
  readonly comment?: Comment
  readonly children?: readonly Reflection[]
  readonly signatures?: readonly Reflection[]
  readonly getSignature?: Reflection
  readonly parameters?: readonly Reflection[]
  readonly inheritedFrom?: object
  readonly sources?: readonly { readonly fileName: string }[]
  readonly type?: Type
}

interface Comment {
  readonly summary: readonly Part[]
  readonly blockTags?: readonly { readonly tag: string; readonly content: readonly Part[] }[]
}

interface Part {
  readonly text: string
}

interface Type {
  readonly type: string
  readonly name?: string
  readonly typeArguments?: readonly Type[]
}

/** A part of a docstring that is missing. */
export interface Gap {
  readonly file: string
  /** The name and the missing part, for example `Runtime.stats: @returns`. */
  readonly gap: string
}

const kind = {
  class: 128,
  interface: 256,
  constructor: 512,
  property: 1024,
  function: 64,
  method: 2048,
  accessor: 262144,
}

/** Names that need an `@example`. */
const withExample = new Set([
  'AppOptions',
  'Builder',
  'CacheStore',
  'CustomLayer',
  'HeadwatersOptions',
  'OperationOptions',
  'Runtime',
  'ScriptedUpstream',
  'UpstreamOptions',
])

/** Interfaces whose methods declare the parts of an aggregate, each with an example. */
const builders = /^(?:InitialBuilder|Builder|Replied)\./

/** The units of numbers: a unit of measure, or the thing that is counted. */
const unit = /\b(?:ms|seconds|bytes|percent|number of|index|status)\b/i

/** Functions and methods that throw nothing and whose promises do not reject. */
const neverThrows = new Set([
  'times',
  'CacheLease.release',
  'CacheLeases.stateOf',
  'CacheLeases.take',
  'CacheStore.delete',
  'CacheStore.get',
  'CacheStore.invalidate',
  'CacheStore.set',
  'LoadGauge.refusal',
  'Problem.[hasInstance]',
  'Problem.toJSON',
  'Problem.with',
  'Runtime.close',
  'Runtime.offload',
  'Runtime.stats',
  'ScriptedUpstream.[asyncDispose]',
  'ScriptedUpstream.close',
  'ScriptedUpstream.reset',
  'SharedState.close',
  'SharedState.rateLimit',
  'SharedState.shareBudget',
  'UpstreamError.[hasInstance]',
])

/** Matches the interfaces whose optional properties are options with a default. */
const optionInterfaces = /(?:Options|Bounds|Info|Limits|Layers|Override|StreamRequest)$/

const namesOfErrors = new RegExp(`\\b(?:${Object.keys(errors).join('|')}|(?:[A-Z]\\w*)?(?:Error|Problem)|StreamCut)\\b`)

/**
 * Returns the missing parts of the docstrings of the exported names. The required parts are:
 *
 * - a sentence for each name and each of its members
 * - `@param` for each parameter, with a unit if the parameter is a number
 * - `@returns` for each function that returns a value
 * - `@throws` with a code or a class
 * - `@default` for each optional option
 * - `@example` for each function, each method of a builder and the main interfaces
 *
 * @param project The JSON that TypeDoc writes.
 * @returns One entry per part that is missing, in the order of the modules and their names.
 */
export function gapsOf(project: Reflection): Gap[] {
  return (project.children ?? []).flatMap(module => (module.children ?? []).flatMap(each => gapsOfName(each)))
}

/**
 * Returns the code of every `@example`.
 *
 * @param project The JSON that TypeDoc writes.
 */
export function examplesOf(project: Reflection): string[] {
  const own =
    project.comment?.blockTags?.filter(({ tag }) => tag === '@example').map(({ content }) => textOf(content)) ?? []
  const inner = [...(project.children ?? []), ...(project.signatures ?? [])].flatMap(examplesOf)
  return [...own, ...inner].map(text => text.replaceAll(/^```\w*\n|\n```$/g, ''))
}

function gapsOfName(each: Reflection): Gap[] {
  const file = each.sources?.[0]?.fileName ?? ''
  const own = (each.children ?? []).filter(member => member.inheritedFrom === undefined)
  return [
    ...lacks(each, each.name),
    ...own.flatMap(member => [
      ...lacks(member, `${each.name}.${member.name}`),
      ...(optionInterfaces.test(each.name) && member.flags?.isOptional === true && !tags(member).includes('@default')
        ? [`${each.name}.${member.name}: @default`]
        : []),
    ]),
  ].map(gap => ({ file, gap }))
}

/** Returns the missing parts of a name, of a member, or of each signature of a function. */
function lacks(each: Reflection, name: string): string[] {
  if (each.signatures !== undefined && each.kind !== kind.property)
    return [...new Set(each.signatures.flatMap(signature => lacksOfSignature(signature, each.kind, name)))]
  const described = each.getSignature ?? each
  return [
    ...(hasText(described.comment?.summary) ? [] : [`${name}: a sentence`]),
    ...(withExample.has(name) && !tags(each).includes('@example') ? [`${name}: @example`] : []),
  ]
}

function lacksOfSignature(signature: Reflection, of: number, name: string): string[] {
  const throws = signature.comment?.blockTags?.filter(({ tag }) => tag === '@throws') ?? []
  const isSilent = isVoid(signature.type) || of === kind.constructor
  return [
    !hasText(signature.comment?.summary) && 'a sentence',
    ...(signature.parameters ?? []).map(
      parameter =>
        !hasText(parameter.comment?.summary) && `@param ${parameter.name.replace('__namedParameters', '{…}')}`,
    ),
    ...(signature.parameters ?? []).map(
      parameter =>
        parameter.type?.name === 'number' &&
        !unit.test(textOf(parameter.comment?.summary ?? [])) &&
        `@param ${parameter.name} with a unit`,
    ),
    !isSilent && !tags(signature).includes('@returns') && '@returns',
    of !== kind.constructor && !neverThrows.has(name) && throws.length === 0 && '@throws',
    throws.some(({ content }) => !namesOfErrors.test(textOf(content))) && '@throws with a code or a class',
    (of === kind.function || builders.test(name)) && !tags(signature).includes('@example') && '@example',
  ]
    .filter(lack => lack !== false)
    .map(lack => `${name}: ${lack}`)
}

function isVoid(type: Type | undefined): boolean {
  return type === undefined || type.name === 'void' || (type.name === 'Promise' && isVoid(type.typeArguments?.[0]))
}

function tags(each: Reflection): string[] {
  return [each, ...(each.signatures ?? [])].flatMap(({ comment }) => comment?.blockTags?.map(({ tag }) => tag) ?? [])
}

function hasText(parts: readonly Part[] | undefined): boolean {
  return parts !== undefined && textOf(parts).trim() !== ''
}

function textOf(parts: readonly Part[]): string {
  return parts.map(({ text }) => text).join('')
}
