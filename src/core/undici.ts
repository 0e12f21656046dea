import { createRequire } from 'node:module'
import type undici from 'undici'

// The main module of undici loads all of it, with `fetch`, WebSocket and its caches, and registers a dispatcher for the
// `fetch` of the process. These modules are the part that is used. The version of undici is pinned, and a test compares
// them with the exports of the main module.
const require = createRequire(import.meta.url)

export const Client = require('undici/lib/dispatcher/client.js') as typeof undici.Client
export const createConnector = require('undici/lib/core/connect.js') as typeof undici.buildConnector
/** Sends a request and resolves with its response. Its `this` is the dispatcher. */
export const request = require('undici/lib/api/api-request.js') as undici.Dispatcher['request']
export const errors = require('undici/lib/core/errors.js') as typeof undici.errors
