import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'

const Id = z.object({ id: z.union([z.string(), z.number()]) })

/** An upstream that takes any question: `ask` is safe, `tell` is not. The path of a call is `/` and its id. */
export function oracleAt(
  origin: string,
  options: { readonly concurrency?: number; readonly attemptTimeout?: number } = {},
) {
  return defineUpstream(
    'oracle',
    { origin, retry: false, ...options },
    {
      ask: operation({ path: '/{id}', params: Id, output: z.unknown() }),
      tell: operation({ method: 'POST', path: '/{id}', params: Id, output: z.unknown() }),
    },
  )
}

/** The oracle for runtimes that open no socket. */
export const oracle = oracleAt('http://oracle.test')
