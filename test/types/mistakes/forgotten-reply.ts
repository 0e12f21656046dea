// An aggregate without a reply is served.
// says: end the declaration with .reply(schema, merge)
import { buildApp } from '../../../src/app.ts'
import { base } from './shop.ts'

// @ts-expect-error
buildApp([base])
