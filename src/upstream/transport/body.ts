import { decodeInSteps, decoderOf } from '../../core/charset.ts'
import { hasDoubtful } from '../../core/json/integers.ts'
import { parseExactInSteps } from '../../core/json/parse.ts'
import { readToFirstError } from '../../core/schema/first-error.ts'
import { compileParser, compileWireParser, INVALID } from '../../core/schema/parser.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { decodeText, decodeUtf8, notEncoded } from './body-text.ts'
import { contentTypeFault, contentTypeOf } from './content-type.ts'
import { outputOf, parseChecked, unwrapResult } from './parse-checked.ts'
import { emptyValue, isBlankInSteps, isEmpty } from './empty-body.ts'
import type { ResponseHeaders } from './response-headers.ts'
import { withResponseHeaders } from './response-value.ts'
import { checkDepth, checkKeys, parseJson } from './safe-json.ts'

/**
 * Parses a complete body into the value of the call: its text, safe JSON, then the operation's schema.
 *
 * @throws UpstreamError for a body that the operation does not accept
 */
export function readBody(spec: OperationSpec, status: number, headers: ResponseHeaders, body: Buffer): unknown {
  const value = spec.allowEmpty && isEmpty(spec, body) ? emptyValue(spec, status) : read(spec, status, headers, body)
  return withResponseHeaders(spec, status, headers, value)
}

/** Does the same as `readBody` for a large body, in steps. The slowest bodies take about 10 ms per step. */
export function* readInSteps(
  spec: OperationSpec,
  status: number,
  headers: ResponseHeaders,
  body: Buffer,
): Generator<undefined, unknown, undefined> {
  if (spec.responseType === 'text') return yield* readTextInSteps(spec, status, headers, body)
  if (spec.responseType === 'bytes') return readBody(spec, status, headers, body)
  if (spec.allowEmpty && (yield* isBlankInSteps(body)))
    return withResponseHeaders(spec, status, headers, emptyValue(spec, status))
  checkType(spec, status, headers)
  const text = decodeUtf8(spec, status, body)
  const parsed = parseJson(spec, status, text)
  yield
  checkKeys(spec, status, parsed, text)
  yield
  checkDepth(spec, status, parsed)
  yield
  let value = compileWireParser(outputOf(spec, status))(parsed)
  if (value === INVALID) {
    yield
    const exact = hasDoubtful(parsed) ? yield* parseExactInSteps(text) : parsed
    yield
    value = unwrapResult(spec, status, readToFirstError(outputOf(spec, status), exact), text)
  }
  return withResponseHeaders(spec, status, headers, value)
}

function* readTextInSteps(
  spec: OperationSpec,
  status: number,
  headers: ResponseHeaders,
  body: Buffer,
): Generator<undefined, unknown, undefined> {
  const { decoder: declared } = contentTypeOf(spec, headers['content-type'])
  if (declared === undefined) return readBody(spec, status, headers, body)
  checkType(spec, status, headers)
  const { encoding } = decoderOf(body, declared)
  let text: string
  try {
    text = yield* decodeInSteps(encoding, body)
  } catch {
    throw notEncoded(spec, status, encoding)
  }
  return withResponseHeaders(spec, status, headers, parseChecked(spec, outputOf(spec, status), status, text))
}

/**
 * Checks the content type of a body that is not empty. For an operation that accepts an empty body, the type was not
 * checked before the body was read.
 */
function checkType(spec: OperationSpec, status: number, headers: ResponseHeaders): void {
  if (!spec.allowEmpty) return
  const fault = contentTypeFault(spec, status, headers['content-type'])
  if (fault !== undefined) throw fault
}

function read(spec: OperationSpec, status: number, headers: ResponseHeaders, body: Buffer): unknown {
  checkType(spec, status, headers)
  // Bytes contain no JSON numbers, and a check of each byte would take seconds.
  if (spec.responseType === 'bytes') return parseChecked(spec, outputOf(spec, status), status, body, compileParser)
  if (spec.responseType === 'text')
    return parseChecked(spec, outputOf(spec, status), status, decodeText(spec, status, headers, body))
  const text = decodeUtf8(spec, status, body)
  const value = parseJson(spec, status, text)
  checkKeys(spec, status, value, text)
  checkDepth(spec, status, value)
  return parseChecked(spec, outputOf(spec, status), status, value, compileWireParser, text)
}
