import { UpstreamError } from '../../errors.ts'
import { pathFault } from './path-fault.ts'
import { encodeReserved, encodeSegment, encodeSegments, longest } from './segment.ts'
import { urlText } from '../../core/url-text.ts'

/** A parsed path template: `/breeds/{id}` is `['/breeds/', '']` around `['id']`. */
export interface Template {
  readonly path: string
  /** The names, without the plus sign of a name that stands for several segments. */
  readonly names: readonly string[]
  /** The names that stand for several segments: `/files/{path+}` has `['path']`. */
  readonly several: readonly string[]
  readonly literals: readonly string[]
  /** The literals, decoded once. */
  readonly decoded: readonly string[]
  /** True if each value is one or several whole segments, so that adjacent text cannot change its meaning. */
  readonly isSegmented: boolean
}

const placeholder = /\{([^{}]*)\}/g
const name = /^[A-Za-z_][A-Za-z0-9_]*$/
const literal = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/

/** Characters that must be encoded in every part of a URL. */
const unencoded = /[^!-~]+/g

/** Parses a path template. Throws a `TypeError` that names the part that is not a path. */
export function parseTemplate(path: string, owner: string): Template {
  const written = Array.from(path.matchAll(placeholder), match => match[1] as string)
  const names = written.map(withoutPlus)
  const literals = path.split(/\{[^{}]*\}/)
  if (!path.startsWith('/')) throw new TypeError(`${owner}: the path '${path}' must start with a slash`)
  for (const part of literals) {
    if (!literal.test(part))
      throw new TypeError(
        `${owner}: the path '${path}' contains characters that are not allowed in a path: encode them` +
          `${asEncoded(path)}, and declare a query as 'query'`,
      )
  }
  for (const [index, each] of names.entries()) {
    if (!name.test(each))
      throw new TypeError(
        `${owner}: '{${written[index]}}' in the path '${path}' is not a name of letters, digits and underscores`,
      )
    if (names.indexOf(each) !== index) throw new TypeError(`${owner}: '{${each}}' occurs twice in the path '${path}'`)
  }
  const segments = path.split('/')
  const isWhole = (each: string) => segments.includes(`{${each}}`)
  const beside = written.find(each => isSeveral(each) && !isWhole(each))
  if (beside !== undefined)
    throw new TypeError(
      `${owner}: '{${beside}}' must be a whole segment of the path '${path}': write a slash before it, and ` +
        'a slash or nothing after it',
    )
  const decoded = literals.map(part => decodedOnce(part, path, owner))
  const fault = pathFault(decoded.join('x'))
  if (fault !== undefined) throw new TypeError(`${owner}: the path '${path}' contains ${fault}`)
  const several = written.filter(isSeveral).map(withoutPlus)
  return { path, names, several, literals, decoded, isSegmented: written.every(isWhole) }
}

function isSeveral(written: string): boolean {
  return written.endsWith('+')
}

function withoutPlus(written: string): string {
  return isSeveral(written) ? written.slice(0, -1) : written
}

/**
 * Returns the path with its white space and its characters outside ASCII encoded, in a form that follows "encode them".
 */
function asEncoded(path: string): string {
  const encoded = path.toWellFormed().replaceAll(unencoded, encodeURIComponent)
  return encoded === path ? '' : ` (${encoded})`
}

function decodedOnce(part: string, path: string, owner: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new TypeError(
      `${owner}: the path '${path}' contains a % that is not part of encoded UTF-8: write %25 for a percent sign`,
    )
  }
}

/**
 * Returns the path for a template and its values. Each value is encoded. A value that a server could read as part of
 * another path is refused. If a value has literal text next to it, all of its reserved characters are encoded (RFC
 * 6570, section 3.2.2), so that `/Products({key})` has one closing parenthesis.
 *
 * @throws `CALL_INPUT_INVALID` for a value that is empty, has an empty segment or has a `pathFault`.
 */
export function fillTemplate(template: Template, params: Readonly<Record<string, unknown>>, owner: string): string {
  const { names, several, literals, isSegmented } = template
  let path = literals[0] as string
  for (let index = 0; index < names.length; index++) {
    const key = names[index] as string
    const text = textOf(key, params[key], several.includes(key), owner)
    path += (isSegmented ? text : encodeReserved(text)) + (literals[index + 1] as string)
  }
  if (!isSegmented) checkWhole(template, params, owner)
  return path
}

/** Refuses values that are safe separately, and unsafe together or with the adjacent literals. */
function checkWhole({ names, decoded }: Template, params: Readonly<Record<string, unknown>>, owner: string): void {
  const fault = pathFault(
    decoded
      .map((part, index) => (index === 0 ? part : (urlText(params[names[index - 1] as string]) as string) + part))
      .join(''),
  )
  if (fault !== undefined)
    throw new UpstreamError('CALL_INPUT_INVALID', owner, { detail: `the path parameters together contain ${fault}` })
}

function textOf(key: string, value: unknown, isSeveral: boolean, owner: string): string {
  if (typeof value !== 'string') {
    const text = urlText(value)
    if (text !== undefined) return encodeURIComponent(text)
    throw new TypeError(
      `${owner}: the path parameter '${key}' must be a string, a number, a boolean or ` +
        `a date: transform it in the operation's params schema`,
    )
  }
  const encoded = isSeveral ? encodeSegments(value, encodeSegment) : encodeSegment(value)
  if (encoded !== undefined) return encoded
  throw new UpstreamError('CALL_INPUT_INVALID', owner, { detail: `the path parameter '${key}' ${faultOf(value)}` })
}

/** Returns the reason for which a text cannot be one segment or several. */
function faultOf(value: string): string {
  if (value.length > longest) return `has more than ${longest} characters`
  if (value === '') return 'is empty'
  const fault = pathFault(value.toWellFormed())
  return fault === undefined ? 'has an empty segment' : `contains ${fault}`
}
