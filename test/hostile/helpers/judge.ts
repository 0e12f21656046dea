import { errors, type ErrorCode } from '../../../src/errors.ts'
import { defaultHeaders } from '../../../src/http/reply/default-headers.ts'
import type { Exchange } from './exchange.ts'
import type { Expected, Line } from './line.ts'
import type { Answer } from './read-answers.ts'

/** Headers that an answer may have; another one is an injected one. */
const usual = new Set([
  'allow',
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'server-timing',
  'transfer-encoding',
  'x-accel-buffering',
  'x-request-id',
  'accept-query',
  ...Object.keys(defaultHeaders),
])

/** Says what is wrong with the answer to a line, and with what became of its connection; nothing when all is well. */
export function judge(
  { expect, before, ends, hides, isBare }: Pick<Line, 'expect' | 'before' | 'ends' | 'hides' | 'isBare'>,
  { answers, left, isClosed }: Exchange,
): string[] {
  const faults: string[] = []
  const answer = answers[before]
  if (answer === undefined)
    return [
      `${answers.length} answers, then ${isClosed ? 'a close' : 'nothing for 2 s'}` +
        (left === '' ? '' : `; no answer: ${left.slice(0, 80)}`),
    ]
  if (answers.slice(0, before).some(({ status }) => status !== 200))
    faults.push('a good request before it was not answered')

  const code = answer.status < 400 ? undefined : isBare ? bareProblem(answer, expect, faults) : problem(answer, faults)
  const got = code === undefined ? String(answer.status) : `${answer.status} ${code}`
  if (!(expect as readonly string[]).includes(got)) faults.push(`answered ${got}, not ${expect.join(' or ')}`)
  if (answer.status === 405 && !answer.headers.has('allow')) faults.push('405 without allow')
  for (const name of answer.headers.keys()) if (!usual.has(name)) faults.push(`a header '${name}'`)
  for (const [name, value] of Object.entries(defaultHeaders))
    if (answer.headers.get(name) !== value) faults.push(`no ${name}: ${value}`)
  if (hides !== undefined && (answer.head + answer.body).includes(hides)) faults.push(`says '${hides}' again`)

  const after = answers.slice(before + 1)
  const mayEnd = ends || answer.headers.get('connection') === 'close'
  if (left !== '') faults.push(`bytes that are no answer: ${left.slice(0, 80)}`)
  if (!isClosed) faults.push('the connection stays open')
  if (mayEnd ? after.length > 0 : after.length !== 1 || after[0]?.body !== '{"status":"live"}')
    faults.push(
      `the next request on its connection got ${after.map(({ head }) => head.split('\r\n')[0]).join(' and ') || 'nothing'}`,
    )
  return faults
}

/** Checks a problem's form (RFC 9457) and gives its code. */
function problem({ status, headers, body }: Answer, faults: string[]): string {
  if (!/^application\/problem\+json(?:; charset=utf-8)?$/.test(headers.get('content-type') ?? ''))
    faults.push(`is no problem: content-type ${headers.get('content-type')}`)
  let said: Readonly<Record<string, unknown>>
  try {
    said = JSON.parse(Buffer.from(body, 'latin1').toString()) as typeof said
  } catch {
    return 'without a problem'
  }
  const code = String(said['code'])
  if (!Object.hasOwn(errors, code)) faults.push(`the code ${code} is not in the table`)
  else if (said['title'] !== errors[code as ErrorCode].title) faults.push('the title is not that of its code')
  if (said['status'] !== status) faults.push(`its body says status ${String(said['status'])}`)
  if (said['type'] !== `urn:headwaters:problem:${code.toLowerCase().replaceAll('_', '-')}`)
    faults.push(`its type is ${String(said['type'])}`)
  if (typeof said['detail'] !== 'string' || said['detail'] === '') faults.push('it has no detail')
  if (/node_modules|\.ts\b|\bat \w+ \(|FST_|ERR_|HPE_/.test(body))
    faults.push(`says what is inside: ${body.slice(0, 200)}`)
  return code
}

/** A problem in answer to HEAD has a type and no body: its code is taken on trust. */
function bareProblem({ status, headers }: Answer, expect: readonly Expected[], faults: string[]): string | undefined {
  if (!headers.get('content-type')?.startsWith('application/problem+json')) faults.push('is no problem')
  return expect.find(each => each.startsWith(`${status} `))?.slice(4)
}
