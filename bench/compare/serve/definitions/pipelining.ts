import { factsWith } from './facts.ts'

export const facts = factsWith({ pipelining: 10 })
