import { factsWith } from './facts.ts'

export const facts = factsWith({ trusted: { pipelining: 10 } })
