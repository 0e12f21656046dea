export { openapiDocument, type OpenapiDocument, type OpenapiOptions } from './openapi/document.ts'
export { openapi } from './openapi/serve.ts'
export { openapiYaml } from './openapi/yaml.ts'
