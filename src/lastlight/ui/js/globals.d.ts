/** Where an icon is found, up to its name: in the sprite's file, or in the page itself. Put in by the build, as is all that follows. */
declare const ICON_SPRITE: string;
/** The sprite itself, of an app that has it in its script; and of the icons that only its later screens show. */
declare const ICON_DRAWINGS: string;
declare const LATER_ICON_DRAWINGS: string;
/** Addresses of the translations, by language, put in by the build. */
declare const CATALOGUES: Record<string, string>;
/** The version of Last Light, put in by the build. */
declare const APP_VERSION: string;

declare module "*.wasm" {
  const url: string;
  export default url;
}
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  const SwaggerUIBundle: ((options: object) => unknown) & { presets: { apis: unknown } };
  export default SwaggerUIBundle;
}
