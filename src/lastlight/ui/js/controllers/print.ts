import { Controller } from "@hotwired/stimulus";

/** Opens the browser's own dialog for paper and PDF. */
export default class PrintController extends Controller<HTMLElement> {
  print(): void {
    window.print();
  }
}
