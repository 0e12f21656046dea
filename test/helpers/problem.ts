import type { Test } from 'tap'
import type { Got } from './served-app.ts'

/** A problem as a caller reads it. */
export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly errors?: readonly { readonly pointer: string; readonly reason: string }[]
  readonly sources?: Readonly<Record<string, { readonly state: string; readonly code?: string }>>
}

/** Asserts that a caller got a problem of this status and code, written as RFC 9457 says. */
export function isProblem(t: Test, got: Got<ProblemBody>, status: number, code: string): void {
  t.equal(got.status, status, `the status is ${status}`)
  t.match(got.headers.get('content-type'), /^application\/problem\+json(?:; charset=utf-8)?$/)
  t.equal(got.headers.get('cache-control'), 'no-store')
  t.equal(got.body.code, code)
  t.equal(got.body.status, status, 'the body repeats the status')
  t.equal(got.body.type, `urn:headwaters:problem:${code.toLowerCase().replaceAll('_', '-')}`)
  t.match(got.body, { title: String, detail: String })
}
