/** The window's i18next instance. A new language is one more file of the shape `Resources` in the table below. */
import { createInstance, type i18n } from "i18next";
import { initReactI18next } from "react-i18next";
import { en } from "./en.ts";

/** Makes the instance with all texts in it: nothing is loaded later, so no text ever flickers. */
export function createI18n(): i18n {
  const instance = createInstance();
  // With its resources in memory and initAsync off, init is done when it returns.
  void instance.use(initReactI18next).init({
    lng: "en",
    fallbackLng: "en",
    resources: { en: { translation: en } },
    initAsync: false,
    interpolation: { escapeValue: false },
    // Like fillText in shared/failure.ts: a missing value shows as its name.
    missingInterpolationHandler: (_text: string, place: readonly string[]) => place[1] ?? "",
    // React escapes; values are put in once and never read as texts with places of their own.
    returnNull: false,
  });
  return instance;
}
